// SPDX-License-Identifier: MIT
#include "start.h"

#include "account.h"
#include "arch/layout.h"
#include "block.h"
#include "boot_memory.h"
#include "device.h"
#include "edit.h"
#include "fault.h"
#include "grant.h"
#include "pool.h"
#include "probe_page.h"
#include "slots.h"
#include "space.h"
#include "task.h"
#include "window.h"

#define INIT_PRIORITY  8u
#define MODULES_RIGHTS (RIGHT_READ | RIGHT_SHARE | RIGHT_QUERY | RIGHT_DERIVE)

// What each kind of boot memory becomes. ABSENT: not ours, and not counted.
static enum frame_kind frame_kind_of(uint32_t kind)
{
    switch (kind) {
    case MEMORY_USABLE:
    case MEMORY_RECLAIMABLE:
        return FRAME_FREE;
    case MEMORY_INIT_IMAGE:
    case MEMORY_MODULE:
    case MEMORY_DIRECTORY:
        return FRAME_PAGE;
    case MEMORY_INIT_TABLE:
        return FRAME_TABLE;
    case MEMORY_RESERVED:
    case MEMORY_ACPI:
        return FRAME_ABSENT;
    default:
        return kind < MEMORY_KINDS ? FRAME_RESERVED : FRAME_ABSENT;
    }
}

// The frames of a range that can be ours: frame 0 and those beyond FRAMES_MAX cannot.
static status_t range_frames(const struct boot_range *range, uint32_t *first, uint32_t *n)
{
    uint64_t from, count;
    status_t status = boot_range_pages(range, &from, &count);
    if (status != OK)
        return status;
    uint64_t end = from + count < FRAMES_MAX ? from + count : FRAMES_MAX;
    from += !from;
    bool is_ours = frame_kind_of(range->kind) != FRAME_ABSENT && from < end;
    *first = is_ours ? (uint32_t)from : 0;
    *n = is_ours ? (uint32_t)(end - from) : 0;
    return OK;
}

static status_t count_frames(const struct boot_info *info, uint32_t *n_frames)
{
    uint32_t top = 0;
    for (uint32_t i = 0; i < info->n_ranges; i++) {
        uint32_t first, n;
        status_t status = range_frames(&info->ranges[i], &first, &n);
        if (status != OK)
            return status;
        if (first + n > top)
            top = first + n;
    }
    *n_frames = top;
    return OK;
}

// The heap begins with the root record, the slot table, the first frame of records, the probe and
// the frame table.
enum carved {
    CARVED_STATE,
    CARVED_SLOTS,
    CARVED_RECORDS,
    CARVED_PROBE,
    CARVED_FRAMES = CARVED_PROBE + PROBE_FRAMES,
};

// The frame table and, behind it, the stretches of free memory.
static uint32_t frame_table_pages(uint32_t n_frames)
{
    uint64_t bytes = n_frames * sizeof(struct frame) + block_bytes(n_frames);
    return (uint32_t)((bytes + PAGE_MASK) >> PAGE_SHIFT);
}

// Enters the frames first .. first + n - 1 as of a kind, all but those carved from the heap.
static void enter_range(struct vmm *vm, uint32_t first, uint32_t n, enum frame_kind kind,
                        uint32_t heap, uint32_t n_carved)
{
    vm->state->n_boot += n;
    if (kind == FRAME_FREE && first == heap) {
        enter_range(vm, first, n_carved, FRAME_RESERVED, 0, 0);
        vm->state->n_boot -= n_carved;
        first += n_carved;
        n -= n_carved;
    }
    if (kind == FRAME_FREE) {
        block_add(vm, first, n);
        return;
    }
    vm->state->n_reserved += kind == FRAME_RESERVED ? n : 0;
    for (uint32_t i = 0; i < n; i++)
        frame_of(vm, (pfn_t){first + i})->kind = (uint8_t)kind;
}

static void enter_ranges(struct vmm *vm, const struct boot_info *info, uint32_t heap,
                         uint32_t n_carved)
{
    for (uint32_t i = 0; i < info->n_ranges; i++) {
        uint32_t first, n;
        status_t status = range_frames(&info->ranges[i], &first, &n);
        invariant(status == OK); // as when they were counted
        enter_range(vm, first, n, frame_kind_of(info->ranges[i].kind), heap, n_carved);
    }
}

static status_t check_info(const struct boot_info *info)
{
    if (info->magic != BOOT_INFO_MAGIC || info->version != BOOT_INFO_VERSION)
        return E_VERSION;
    if (info->n_ranges > BOOT_RANGES_MAX || (info->levels != 4 && info->levels != 5) ||
        !(info->page_sizes & 1))
        return E_FORMAT;
    return OK;
}

// The root record and the empty frame table, at the heap's start.
static status_t make_state(struct vmm *vm, const struct boot_info *info, const struct heap *heap,
                           uint32_t *n_carved)
{
    uint32_t n_frames;
    status_t status = count_frames(info, &n_frames);
    if (status != OK)
        return status;
    *n_carved = CARVED_FRAMES + frame_table_pages(n_frames);
    pfn_t first = frame_number(heap->start - info->physical_memory_offset);
    if (heap->len_bytes >> PAGE_SHIFT <= *n_carved || first.n >= n_frames)
        return E_NOMEM;
    vm->offset = info->physical_memory_offset;
    vm->state = frame_at(vm, (pfn_t){first.n + CARVED_STATE});
    vm->frames = frame_at(vm, (pfn_t){first.n + CARVED_FRAMES});
    __builtin_memset(vm->state, 0, (uint64_t)*n_carved << PAGE_SHIFT);
    *vm->state = (struct state){
        .magic = STATE_MAGIC,
        .version = STATE_VERSION,
        .levels = info->levels,
        .user_pages = (info->levels == 4 ? USER_END_4LEVEL : USER_END_5LEVEL) >> PAGE_SHIFT,
        .frame_table = {first.n + CARVED_FRAMES},
        .n_frames = n_frames,
        .boot_root = frame_number(info->vmm_root),
        .page_sizes = info->page_sizes,
        .step_work = STEP_WORK,
    };
    block_boot(vm, vm->frames + n_frames);
    return OK;
}

status_t vmm_start(struct vmm *vm, const struct boot_info *info, const struct ports *ports,
                   void *context)
{
    struct heap heap;
    uint32_t n_carved;
    status_t status = check_info(info);
    if (status == OK)
        status = locate_heap(info->ranges, info->n_ranges, info->physical_memory_offset, &heap);
    *vm = (struct vmm){.ports = ports, .context = context};
    if (status == OK)
        status = make_state(vm, info, &heap, &n_carved);
    if (status != OK)
        return status;
    struct state *s = vm->state;
    uint32_t first = s->frame_table.n - CARVED_FRAMES;
    enter_ranges(vm, info, first, n_carved);
    s->n_reserved--; // the frame of records is charged, not reserved
    pool_start(vm, (pfn_t){first + CARVED_RECORDS}, s->n_boot - s->n_reserved);
    probe_page_make(vm, (pfn_t){first + CARVED_PROBE});
    if (s->boot_root.n >= s->n_frames)
        return E_FORMAT;
    status = window_start(vm);
    if (status == OK)
        status = slots_start(vm, (pfn_t){first + CARVED_SLOTS});
    if (status != OK)
        return status;
    s->reply_slot = slot_take(vm);
    s->receive_slot = slot_take(vm);
    s->left_slots -= 2;
    return OK;
}

// Init's image and the modules are charged to the root account as they are mapped; what of them
// nobody maps becomes free memory.
static void charge_page(struct vmm *vm, pfn_t pfn)
{
    frame_of(vm, pfn)->account = vm->state->root_account;
    status_t status = account_charge(vm, vm->state->root_account, 1);
    invariant(status == OK);
}

static void charge_boot_frames(struct vmm *vm)
{
    for (uint32_t i = 1; i < vm->state->n_frames; i++) {
        const struct frame *f = frame_of(vm, (pfn_t){i});
        if (f->kind == FRAME_PAGE || f->kind == FRAME_TABLE)
            charge_page(vm, (pfn_t){i});
    }
}

static void free_unmapped(struct vmm *vm)
{
    for (uint32_t i = 1; i < vm->state->n_frames; i++) {
        const struct frame *f = frame_of(vm, (pfn_t){i});
        if ((f->kind == FRAME_PAGE || f->kind == FRAME_TABLE) && !f->refs)
            frame_free(vm, (pfn_t){i});
    }
}

// Maps `n` boot pages from frame `from` on, read-only, at a page of the modules space.
static status_t map_module(struct vmm *vm, const struct space *s, paddr_t from, uint64_t page,
                           uint32_t n)
{
    uint64_t frame = from >> PAGE_SHIFT;
    for (uint32_t i = 0; i < n; i++)
        if (frame + i >= vm->state->n_frames ||
            frame_of(vm, (pfn_t){(uint32_t)frame + i})->kind != FRAME_PAGE)
            return E_FORMAT;
    struct edit e = {
        .kind = EDIT_PLACE,
        .account = s->account,
        .root = s->root,
        .first = (MODULES_VA >> PAGE_SHIFT) + page,
        .last = (MODULES_VA >> PAGE_SHIFT) + page + n - 1,
        .prot = PROT_R,
        .max = PROT_R,
        .source = frame,
        .is_sole = true,
    };
    if (!n)
        return OK;
    status_t status = edit_prepare(vm, &e);
    if (status == OK)
        edit_commit_all(vm, &e);
    return status;
}

static status_t make_modules_space(struct vmm *vm, const struct boot_info *info, record_t *id)
{
    status_t status = space_create(vm, vm->state->root_account, 0, id);
    if (status != OK)
        return status;
    const struct space *s = space_of(vm, *id);
    status = map_module(vm, s, info->directory, 0, 1);
    if (status != OK)
        return status;
    const struct module_directory *d = frame_at(vm, frame_number(info->directory));
    for (uint32_t i = 0; i < d->n_modules && i < MODULES_MAX && status == OK; i++)
        status =
            map_module(vm, s, d->modules[i].start, d->modules[i].first_page, d->modules[i].n_pages);
    return status;
}

status_t vmm_start_init(struct vmm *vm, const struct boot_info *info)
{
    record_t root = vm->state->root_account, modules, devices;
    struct spawn init = {
        .parent_kind = PARENT_PORTAL,
        .is_init = true,
        .is_fragile = true, // who would give it memory?
        .rip = info->init_entry,
        .rsp = info->init_stack,
        .priority = INIT_PRIORITY,
    };
    vm->left = INT64_MAX; // nobody waits
    charge_boot_frames(vm);
    status_t status = space_adopt(vm, root, frame_number(info->init_root), &init.space);
    if (status == OK)
        status = make_modules_space(vm, info, &modules);
    if (status == OK)
        status = device_space_create(vm, info, &devices);
    if (status == OK)
        status = grant_create_whole(vm, root, init.space, RIGHTS_ALL, &init.self);
    if (status == OK)
        status = grant_create_whole(vm, root, modules, MODULES_RIGHTS, &init.parent);
    if (status == OK)
        status = grant_create_whole(vm, root, devices, DEVICE_RIGHTS, &init.devices);
    if (status == OK)
        status = task_spawn(vm, &init);
    if (status == OK) // what a manifest can name needs more slots than a task begins with
        status = slots_add(vm, root, task_of(vm, vm->state->init)->object);
    if (status == OK)
        free_unmapped(vm);
    vmm_settle(vm);
    return status;
}

static void settle_frames(struct vmm *vm)
{
    do {
        (void)pt_bury(vm);
        flush_issue(vm);
        block_give_waiting(vm);
    } while (vm->state->dead_accounts && account_reap(vm));
}

void vmm_settle(struct vmm *vm)
{
    grant_settle(vm);
    settle_frames(vm);
    if (vm->state->starved && vm->state->is_relieved) {
        fault_retry(vm);
        settle_frames(vm);
    }
    vm->state->is_relieved = false;
    vm->state->is_busy = vmm_has_work(vm->state);
}
