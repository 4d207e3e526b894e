// SPDX-License-Identifier: MIT
#include "slots.h"

#include "account.h"
#include "task.h"
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
    vm->state->left_slots = (uint16_t)(vm->state->left_slots + end - first);
}

// A task's frames of slots are chained from its own.
status_t slots_add(struct vmm *vm, record_t account, uint32_t task)
{
    uint32_t index;
    status_t status = object_map(vm, account, KERNEL_SLOTS, 0, &index);
    if (status != OK)
        return status;
    status = vm->ports->task_slots(vm->context, task, index);
    if (status != OK) {
        object_unmap(vm, index);
        return status;
    }
    struct frame *owner = frame_of(vm, object_pfn(vm, task));
    struct frame *slots = frame_of(vm, object_pfn(vm, index));
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

// Those of the VMM's own frame come last into the list, so they are taken first: the kernel's short paths
// know no others.
status_t slots_start(struct vmm *vm, pfn_t table)
{
    status_t status = OK;
    unsigned n = SLOTS_FIRST;
    vm->state->slot_table = table;
    for (; status == OK && n + SLOTS_IN_FRAME <= VMM_SLOTS_MAX; n += SLOTS_IN_FRAME) {
        status = slots_add(vm, vm->state->root_account, VMM_OBJECT_TASK);
        if (status == OK)
            slots_free(vm, n, n + SLOTS_IN_FRAME);
    }
    slots_free(vm, VMM_SLOT_FREE, SLOTS_FIRST);
    return status;
}

static void count_claim(struct vmm *vm, record_t account, int n)
{
    for (; account; account = account_of(vm, account)->parent)
        account_of(vm, account)->n_slots += (uint16_t)n;
    vm->state->left_slots -= (uint16_t)n;
}

status_t slots_claim(struct vmm *vm, record_t account)
{
    const struct account *a = account_of(vm, account);
    uint32_t left = vm->state->left_slots;
    for (; a->parent; a = account_of(vm, a->parent))
        if (a->n_slots >= left)
            return E_LIMIT;
    if (!left)
        return E_LIMIT;
    count_claim(vm, account, 1);
    return OK;
}

void slots_unclaim(struct vmm *vm, record_t account)
{
    count_claim(vm, account, -1);
}

uint16_t slot_take(struct vmm *vm)
{
    if (!vm->state->free_slots)
        tasks_sweep(vm);
    uint16_t slot = vm->state->free_slots;
    invariant(slot);
    vm->state->free_slots = *slot_next(vm, slot);
    return slot;
}
