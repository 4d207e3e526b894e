// SPDX-License-Identifier: MIT
// init: the first client of the VMM. It reads the manifest among the boot modules, runs the
// scenario that it describes, and ends the machine with the verdict. Whatever goes wrong before the
// scenario runs is said in one line.
#include "arch/power.h"
#include "ipc/vmm_client.h"
#include "servers/init/modules.h"
#include "servers/init/scenario.h"
#include "servers/init/slots.h"

static struct scenario scenario;

static status_t complain(status_t status, const char *step)
{
    if (status != OK)
        log_format("init: %s: %s, %s\n", step, status_name(status), status_text(status));
    return status;
}

static status_t read_manifest(struct manifest *manifest)
{
    const void *text;
    struct manifest_error error;
    const struct module_entry *module = module_find("manifest");
    if (module == NULL) {
        log_text("init: there is no module named \"manifest\"\n");
        return E_NOENT;
    }
    status_t status = complain(module_map(module, &text), "map the manifest");
    if (status != OK)
        return status;
    status = manifest_parse(text, module->len_bytes, manifest, &error);
    if (status == OK)
        return complain(module_unmap(module), "unmap the manifest");
    if (error.where[0] != '\0')
        log_format("init: manifest line %u: %s \"%s\"\n", error.line, error.what, error.where);
    else
        log_format("init: manifest line %u: %s\n", error.line, error.what);
    return status;
}

// Each task's own results, one for the end of each, and the two of check_leftovers().
static unsigned count_results(const struct manifest *manifest)
{
    uint64_t count = manifest->n_tasks + 2;
    for (unsigned i = 0; i < manifest->n_tasks; i++)
        count += manifest->tasks[i].tests;
    return (unsigned)count;
}

static void check_leftovers(struct report *report, uint64_t free_before)
{
    uint64_t frames = 0, errors = 0;
    struct vmm_stats stats = {0};
    status_t status = vmm_audit(SLOT_SELF, &frames, &errors);
    log_format("# init: audit: %s, %lu frames, %lu errors\n", status_name(status), frames, errors);
    report_result(report, status == OK && errors == 0, "init", "the audit finds nothing");
    status = vmm_stats(SLOT_SELF, &stats);
    log_format("# init: free frames: %lu before, %lu now\n", free_before, stats.free);
    report_result(report, status == OK && stats.free == free_before, "init",
                  "every frame has come back");
}

// Answers whether the scenario ran and all was well. Whatever fails has been said in one line.
static bool run(void)
{
    struct vmm_stats before;
    status_t status = complain(modules_open(), "open the module directory");
    if (status == OK)
        status = read_manifest(&scenario.manifest);
    if (status == OK)
        status = complain(vmm_endpoint(SLOT_SELF, SLOT_SERVICE), "create its endpoint");
    if (status == OK)
        status = complain(vmm_stats(SLOT_SELF, &before), "count the free frames");
    if (status != OK)
        return false;
    report_begin(&scenario.report, count_results(&scenario.manifest));
    status = scenario_start(&scenario);
    if (status == OK)
        status = complain(scenario_serve(&scenario), "serve its tasks");
    if (status != OK)
        return false;
    scenario_drop(&scenario);
    check_leftovers(&scenario.report, before.free);
    return report_is_success(&scenario.report);
}

uint64_t main(uint64_t argument)
{
    (void)argument;
    bool ok = run();
    (void)!complain(vmm_power_off(SLOT_SELF, ok ? POWER_SUCCESS : POWER_FAILURE), "power off");
    return 1;
}
