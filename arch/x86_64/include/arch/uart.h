// SPDX-License-Identifier: MIT
// The serial port COM1, 115200 8N1, polled for readiness. Works before anything else does.
#pragma once

#include <stddef.h>

// Sets the port up. Where there is no port, all that is written is lost, without hanging.
void uart_init(void);

// Writes `len` bytes and waits for the port to take them; '\n' goes out as CR LF.
void uart_write(const char *text, size_t len);

// Writes some of the text as far as the port takes it at once; answers how much. While something is left
// the port interrupts when it can take more.
size_t uart_send(const char *text, size_t len);

// Takes up to `max` received bytes that are there now; answers how many.
size_t uart_read(char *text, size_t max);
