// SPDX-License-Identifier: MIT
// Boot modules. They are a read-only space, SLOT_PARENT, of which windows are shared into init's
// own: the directory for good, a module while it is being read.
#pragma once

#include "ipc/boot_info.h"
#include "ipc/status.h"

// Maps the directory. Before anything else here. E_FORMAT: it claims more modules than it can hold.
must_check status_t modules_open(void);

// The module of that name, or NULL.
const struct module_entry *module_find(const char *name);

// Maps a module, one at a time, and answers where its bytes are.
must_check status_t module_map(const struct module_entry *module, const void **bytes);
must_check status_t module_unmap(const struct module_entry *module);
