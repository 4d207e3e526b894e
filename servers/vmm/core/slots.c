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

static void slots_add(struct vmm *vm, unsigned first, unsigned end)
{
    for (unsigned slot = end; slot-- > first;)
        slot_free(vm, (uint16_t)slot);
    vm->state->n_slots = (uint16_t)end;
}

void slots_start(struct vmm *vm, pfn_t table)
{
    vm->state->slot_table = table;
    slots_add(vm, VMM_SLOT_FREE, SLOTS_FIRST);
}

static status_t slots_grow(struct vmm *vm)
{
    uint32_t index;
    if (vm->state->n_slots + SLOTS_IN_FRAME > VMM_SLOTS_MAX)
        return E_LIMIT;
    status_t status = object_map(vm, vm->state->root_account, &index);
    if (status != OK)
        return status;
    status = vm->ports->task_slots(vm->context, VMM_OBJECT_TASK, index);
    if (status != OK) {
        object_unmap(vm, index);
        return status;
    }
    frame_of(vm, object_pfn(vm, index))->level = KERNEL_SLOTS;
    slots_add(vm, vm->state->n_slots, vm->state->n_slots + SLOTS_IN_FRAME);
    return OK;
}

status_t slot_alloc(struct vmm *vm, uint16_t *slot)
{
    if (!vm->state->free_slots) {
        status_t status = slots_grow(vm);
        if (status != OK)
            return status;
    }
    *slot = vm->state->free_slots;
    vm->state->free_slots = *slot_next(vm, *slot);
    return OK;
}
