// SPDX-License-Identifier: MIT
#include "slots.h"

#include "window.h"

uint16_t *slot_next(struct vmm *vm, uint16_t slot)
{
    struct slot_table *table = frame_at(vm, vm->state->slot_table);
    return &table->next[slot];
}

void slot_free(struct vmm *vm, uint16_t slot)
{
    *slot_next(vm, slot) = vm->state->free_slots;
    vm->state->free_slots = slot;
}

static void slots_free(struct vmm *vm, unsigned first, unsigned end)
{
    for (unsigned slot = end; slot-- > first;)
        slot_free(vm, (uint16_t)slot);
    vm->state->n_slots = (uint16_t)end;
}

void slots_start(struct vmm *vm, pfn_t table)
{
    vm->state->slot_table = table;
    slots_free(vm, VMM_SLOT_FREE, SLOTS_FIRST);
}

// A task's frames of slots are chained from its own.
status_t slots_add(struct vmm *vm, record_t account, uint32_t task)
{
    uint32_t index;
    status_t status = object_map(vm, account, &index);
    if (status != OK)
        return status;
    status = vm->ports->task_slots(vm->context, task, index);
    if (status != OK) {
        object_unmap(vm, index);
        return status;
    }
    struct frame *owner = frame_of(vm, object_pfn(vm, task));
    struct frame *slots = frame_of(vm, object_pfn(vm, index));
    slots->level = KERNEL_SLOTS;
    slots->link = index;
    slots->next = owner->next;
    owner->next = object_pfn(vm, index);
    return OK;
}

pfn_t slots_of(const struct vmm *vm, uint32_t task)
{
    return frame_of(vm, object_pfn(vm, task))->next;
}

void slots_drop(struct vmm *vm, pfn_t slots)
{
    while (slots.n) {
        const struct frame f = *frame_of(vm, slots);
        object_unmap(vm, f.link);
        slots = f.next;
    }
}

status_t slots_fill(struct vmm *vm)
{
    status_t status = OK;
    while (status == OK && vm->state->n_slots + SLOTS_IN_FRAME <= VMM_SLOTS_MAX) {
        status = slots_add(vm, vm->state->root_account, VMM_OBJECT_TASK);
        if (status == OK)
            slots_free(vm, vm->state->n_slots, vm->state->n_slots + SLOTS_IN_FRAME);
    }
    return status;
}

status_t slot_alloc(struct vmm *vm, uint16_t *slot)
{
    if (!vm->state->free_slots)
        return E_LIMIT;
    *slot = vm->state->free_slots;
    vm->state->free_slots = *slot_next(vm, *slot);
    return OK;
}
