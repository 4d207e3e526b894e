// SPDX-License-Identifier: MIT
// The kernel's half of every space: its image, the object window, the local APIC's page.
#pragma once

#include "ipc/boot_info.h"
#include "ipc/status.h"

#include "boot/tables.h"

// The frames of the kernel proper, and of the loader's own code and data, as kernel.ld places them.
struct carve_span kernel_half_image(void);
struct carve_span kernel_half_loader(void);

// Builds the kernel's root entry in t->root: the image with the protection of each part, but for
// the guard page below the CPU's stack; `n_objects` fresh frames at the start of the object window;
// the local APIC. Errors: E_NOSYS (the CPU has no local APIC), E_NOMEM, E_LIMIT.
must_check status_t kernel_half_build(const struct tables *t, uint32_t n_objects);
