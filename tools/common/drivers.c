/* SPDX-License-Identifier: Apache-2.0 */
#include "drivers.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/text.h"
#include "child.h"
#include "options.h"
#include "runtime/device_list.h"

static const double list_seconds = 5;

meso_status tool_child_list(const char *argument, meso_text *answer, meso_error *error)
{
    meso_device_info *list = NULL;
    size_t n = 0;
    char trouble[512];
    tool_driver_library_trouble(argument, trouble, sizeof trouble);
    if (*trouble)
        return meso_fail(error, MESO_ERROR_NO_DEVICE, "%s", trouble);
    meso_status status = meso_device_list(&list, sizeof *list, &n, error);
    if (status == MESO_OK)
        meso_text_add_n(answer, (const char *)list, n * sizeof *list);
    meso_free(list);
    return status;
}

/* Adds what a child found behind the devices that are there. 0: out of memory. */
static int add_devices(tool_drivers *drivers, size_t number, const meso_text *answer)
{
    size_t n = answer->length / sizeof(meso_device_info), all = drivers->n_devices + n;
    if (all > MESO_MAX_DEVICES)
        n = 0, all = drivers->n_devices;
    meso_device_info *devices = realloc(drivers->devices, (all + 1) * sizeof *devices);
    if (devices)
        drivers->devices = devices;
    size_t *owners = realloc(drivers->owners, (all + 1) * sizeof *owners);
    if (owners)
        drivers->owners = owners;
    if (!devices || !owners)
        return 0;
    if (n > 0)
        memcpy(devices + drivers->n_devices, answer->bytes, n * sizeof *devices);
    for (size_t i = drivers->n_devices; i < all; i++) {
        devices[i].platform += number * MESO_MAX_DEVICES; /* apart from those of other drivers */
        owners[i] = number;
    }
    drivers->rows[number].n_devices = n;
    drivers->n_devices = all;
    return 1;
}

static meso_status none_has_a_device(const tool_drivers *drivers, meso_error *error)
{
    meso_text reasons = {0};
    for (size_t i = 0; i < drivers->n; i++) {
        const tool_driver *row = &drivers->rows[i];
        if (row->file)
            meso_text_format(&reasons, "%s%s: ", i ? "; " : "", MESO_PRINTABLE(row->file));
        meso_text_add(&reasons, row->error.text);
    }
    meso_fail(error, MESO_ERROR_NO_DEVICE, "no OpenCL device: %s",
              reasons.bytes ? reasons.bytes : "");
    meso_text_free(&reasons);
    return MESO_ERROR_NO_DEVICE;
}

meso_status tool_drivers_find(tool_drivers *drivers, meso_error *error)
{
    meso_status status = tool_driver_files_find(drivers, error);
    if (status != MESO_OK)
        tool_drivers_free(drivers);
    return status;
}

meso_status tool_drivers_ask(tool_drivers *drivers, const char *selector, int quiet,
                             meso_error *error)
{
    meso_status status = MESO_OK;
    tool_child *children = calloc(drivers->n, sizeof *children);
    MESO_REQUIRE_MEMORY(children, error);
    for (size_t i = 0; i < drivers->n; i++)
        children[i] = (tool_child){.work = "list",
                                   .vendors = drivers->rows[i].vendors,
                                   .argument = drivers->rows[i].library,
                                   .quiet = quiet};
    tool_children_run(children, drivers->n, list_seconds);
    for (size_t i = 0; i < drivers->n; i++) {
        drivers->rows[i].error = children[i].error;
        MESO_REQUIRE_MEMORY(add_devices(drivers, i, &children[i].answer), error);
    }
    if (drivers->n_devices == 0)
        MESO_TRY(none_has_a_device(drivers, error));
    meso_device_list_arrange(drivers->devices, drivers->owners, drivers->n_devices);
    drivers->matches = calloc(drivers->n_devices, sizeof *drivers->matches);
    MESO_REQUIRE_MEMORY(drivers->matches, error);
    MESO_TRY(meso_device_match(drivers->devices, sizeof *drivers->devices, drivers->n_devices,
                               selector, drivers->matches, &drivers->n_matches, error));
out:
    for (size_t i = 0; children && i < drivers->n; i++)
        meso_text_free(&children[i].answer);
    free(children);
    return status;
}

void tool_drivers_free(tool_drivers *drivers)
{
    tool_driver_files_free(drivers);
    free(drivers->devices);
    free(drivers->owners);
    free(drivers->matches);
    *drivers = (tool_drivers){0};
}

void tool_drivers_local_name(const tool_drivers *drivers, size_t device, char name[32])
{
    /* Devices stand in the order of their platforms. */
    unsigned platform = 0, last = 0;
    for (size_t i = 0, first = 1; i <= device; i++)
        if (drivers->owners[i] == drivers->owners[device]) {
            platform += !first && drivers->devices[i].platform != last;
            last = drivers->devices[i].platform;
            first = 0;
        }
    snprintf(name, 32, "%u:%u", platform, drivers->devices[device].index);
}

/* With one driver's folder. A process that is started later must not look there: it is removed. */
static meso_status open_alone(const char *vendors, const char *name, meso_device **device,
                              meso_error *error)
{
    static const char variable[] = "OCL_ICD_VENDORS";
    char *held = getenv(variable) ? strdup(getenv(variable)) : NULL;
    setenv(variable, vendors, 1);
    const meso_status status = meso_device_open(name, device, error);
    if (held)
        setenv(variable, held, 1);
    else
        unsetenv(variable);
    free(held);
    return status;
}

const char *tool_training_selector(const char *selector, const char *net, tool_selector text)
{
    if (meso_device_is_named(selector))
        return selector;
    snprintf(text, sizeof(tool_selector), "train:%s", net);
    return text;
}

/* A GPU that does nothing would surprise. */
static void say_choice(const meso_device_info *list, size_t n, const char *selector, size_t one)
{
    if (meso_device_leaves_gpu(list, n, selector, one))
        fprintf(stderr,
                "%s: training on the CPU: no GPU has been measured to train this net faster "
                "(device_bench --pick measures, --device gpu takes one)\n",
                tool_program_name);
}

/* The same where one driver, or the loader, has all devices. */
static void say_choice_here(const char *selector, const meso_device *device)
{
    const meso_device_info *taken = meso_device_get_info(device);
    meso_device_info *list = NULL;
    size_t n = 0;
    if (taken->type != MESO_DEVICE_CPU ||
        meso_device_list(&list, sizeof *list, &n, NULL) != MESO_OK)
        return;
    for (size_t i = 0; i < n; i++)
        if (list[i].platform == taken->platform && list[i].index == taken->index)
            say_choice(list, n, selector, i);
    meso_free(list);
}

/* Drivers that crashed or hung; one that has no device, or is gone, is nothing out of order. */
static void say_left_out(const tool_drivers *drivers)
{
    for (size_t i = 0; i < drivers->n; i++)
        if (drivers->rows[i].error.status == MESO_ERROR_DEVICE)
            fprintf(stderr, "%s: left out: %s: %s\n", tool_program_name,
                    MESO_PRINTABLE(drivers->rows[i].file), drivers->rows[i].error.text);
}

/* The device that selector means, by a driver that this process then loads alone. */
static meso_status open_among(tool_drivers *drivers, const char *selector, meso_device **device,
                              meso_error *error)
{
    char name[32];
    size_t one;
    MESO_CHECK(tool_drivers_ask(drivers, selector, 1, error));
    say_left_out(drivers);
    MESO_CHECK(meso_device_match_one(drivers->devices, drivers->n_devices, selector, &one, error));
    say_choice(drivers->devices, drivers->n_devices, selector, one);
    const tool_driver *driver = &drivers->rows[drivers->owners[one]];
    tool_drivers_local_name(drivers, one, name);
    tool_driver_crash_catch(driver->library);
    return open_alone(driver->vendors, name, device, error);
}

/* Drivers and their compilers abort where they cannot open a file. */
static meso_status require_files(meso_error *error)
{
    enum { least = 64 };
    struct rlimit limit = {least, least};
    getrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur >= least)
        return MESO_OK;
    return meso_fail(error, MESO_ERROR_DEVICE,
                     "only %llu files may be open at once (ulimit -n); OpenCL drivers need %d",
                     (unsigned long long)limit.rlim_cur, (int)least);
}

/* A driver that has no compiled kernels in its cache takes seconds for them. One that has reads
 * them within a few ticks. */
static void *watch_compiler(void *unused)
{
    enum { ticks_a_minute = 600, many_ticks = 8 };
    const struct timespec tick = {0, 100000000};
    int n_compiling = 0;
    (void)unused;
    for (int i = 0; i < ticks_a_minute && n_compiling < many_ticks; i++) {
        nanosleep(&tick, NULL);
        const char *asked = meso_driver_asked;
        n_compiling += asked && strcmp(asked, MESO_DRIVER_COMPILES) == 0;
    }
    if (n_compiling == many_ticks)
        fprintf(stderr, "\r%s: compiling kernels for this device, once …%30s\n", tool_program_name,
                "");
    return NULL;
}

void tool_say_compiling(void)
{
    pthread_t thread;
    if (isatty(STDERR_FILENO) && pthread_create(&thread, NULL, watch_compiler, NULL) == 0)
        pthread_detach(thread);
}

meso_status tool_open_device(const char *selector, meso_device **device, meso_error *error)
{
    tool_drivers drivers;
    meso_status status = require_files(error);
    if (status == MESO_OK)
        status = tool_drivers_find(&drivers, error);
    if (status != MESO_OK)
        return status;
    if (drivers.n > 1) {
        status = open_among(&drivers, selector, device, error);
    } else {
        tool_driver_crash_catch(drivers.rows[0].library);
        status = meso_device_open(selector, device, error);
        if (status == MESO_OK)
            say_choice_here(selector, *device);
    }
    tool_drivers_free(&drivers);
    if (status == MESO_OK)
        tool_say_compiling();
    return status;
}

meso_status tool_open_first(const char *selector, meso_device **device, meso_error *error)
{
    meso_status status = MESO_OK;
    tool_drivers drivers;
    char number[32];
    MESO_CHECK(tool_drivers_find(&drivers, error));
    MESO_TRY(tool_drivers_ask(&drivers, selector, 1, error));
    const meso_device_info *first = &drivers.devices[drivers.matches[0]];
    say_choice(drivers.devices, drivers.n_devices, selector, drivers.matches[0]);
    snprintf(number, sizeof number, "%u:%u", first->platform, first->index);
    MESO_TRY(tool_open_device(number, device, error));
out:
    tool_drivers_free(&drivers);
    return status;
}
