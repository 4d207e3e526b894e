// SPDX-License-Identifier: MIT
#include "arch/uart.h"

#include "arch/io.h"

#include <stdbool.h>

#define COM1             0x3f8
#define REG_DATA         (COM1 + 0)
#define REG_INTERRUPTS   (COM1 + 1)
#define REG_FIFO         (COM1 + 2)
#define REG_LINE_CONTROL (COM1 + 3)
#define REG_MODEM        (COM1 + 4)
#define REG_LINE_STATUS  (COM1 + 5)
#define REG_SCRATCH      (COM1 + 7)

#define STATUS_DATA_READY 0x01
#define STATUS_CAN_SEND   0x20
#define ON_RECEIVED       0x01 // interrupts
#define ON_CAN_SEND       0x02
#define SEND_MAX          8         // bytes at a time: interrupts are off
#define READY_POLLS_MAX   100000    // far longer than a byte takes at 115200 baud
#define REFUSALS_MAX      20000000u // in a row: whoever prints asks again and again; some seconds

static bool present;
static bool is_return_sent; // the CR of a '\n' that is still to go
static unsigned n_refused;  // times in a row that the port was not ready

void uart_init(void)
{
    io_write8(REG_SCRATCH, 0x5a);
    present = io_read8(REG_SCRATCH) == 0x5a;
    if (!present)
        return;
    io_write8(REG_LINE_CONTROL, 0x80); // divisor latch
    io_write8(REG_DATA, 1);            // 115200 baud
    io_write8(REG_INTERRUPTS, 0);
    io_write8(REG_LINE_CONTROL, 0x03); // 8N1
    io_write8(REG_FIFO, 0x07);         // on, cleared, interrupt at one byte
    io_write8(REG_MODEM, 0x0b);        // DTR, RTS, OUT2 (lets interrupts out)
    io_write8(REG_INTERRUPTS, ON_RECEIVED);
}

static void uart_put(char byte)
{
    for (int polls = 0; polls < READY_POLLS_MAX; polls++) {
        if (io_read8(REG_LINE_STATUS) & STATUS_CAN_SEND) {
            io_write8(REG_DATA, (uint8_t)byte);
            return;
        }
    }
    present = false; // stuck: never wait for it again
}

void uart_write(const char *text, size_t len)
{
    for (size_t i = 0; i < len && present; i++) {
        if (text[i] == '\n')
            uart_put('\r');
        uart_put(text[i]);
    }
}

static bool can_send(void)
{
    if (io_read8(REG_LINE_STATUS) & STATUS_CAN_SEND)
        n_refused = 0;
    else if (n_refused < REFUSALS_MAX)
        n_refused++;
    return !n_refused;
}

size_t uart_send(const char *text, size_t len)
{
    size_t n = 0;
    for (unsigned sent = 0; n < len && sent < SEND_MAX && can_send(); sent++) {
        is_return_sent = text[n] == '\n' && !is_return_sent;
        io_write8(REG_DATA, is_return_sent ? '\r' : (uint8_t)text[n++]);
    }
    if (!present || n_refused == REFUSALS_MAX)
        return len; // lost, as long as nobody takes it: tasks that print do not wait for ever
    io_write8(REG_INTERRUPTS, n < len ? ON_RECEIVED | ON_CAN_SEND : ON_RECEIVED);
    return n;
}

size_t uart_read(char *text, size_t max)
{
    size_t n = 0;
    while (n < max && present && io_read8(REG_LINE_STATUS) & STATUS_DATA_READY)
        text[n++] = (char)io_read8(REG_DATA);
    return n;
}
