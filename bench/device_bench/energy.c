/* SPDX-License-Identifier: Apache-2.0 */
#include "energy.h"

#include <dlfcn.h>
#include <glob.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"

static const double micro = 1e-6, milli = 1e-3;

static double read_number(const char *path)
{
    double value = NAN;
    FILE *file = fopen(path, "r");
    if (file && fscanf(file, "%lf", &value) != 1)
        value = NAN;
    if (file)
        fclose(file);
    return value;
}

static void add_counter(bench_energy *energy, const char *path, int is_power, double range)
{
    bench_counter *c = &energy->counters[energy->n];
    if (energy->n == BENCH_MOST_COUNTERS || strlen(path) >= sizeof c->path) {
        energy->counters[0].unit = NAN; /* a part is no sum */
        return;
    }
    *c = (bench_counter){.is_power = is_power, .unit = micro, .range = range};
    strcpy(c->path, path);
    energy->n++;
}

/* Packages alone: what they hold (cores, memory) counts in them, and "psys" holds them. Those of
 * intel-rapl-mmio are the same once more. */
static void find_packages(const char *sysfs, bench_energy *energy)
{
    char pattern[256], path[512], name[8] = "";
    glob_t found = {0};
    snprintf(pattern, sizeof pattern, "%s/class/powercap/intel-rapl:*/name", sysfs);
    glob(pattern, 0, NULL, &found);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        int length = (int)(strlen(found.gl_pathv[i]) - strlen("name"));
        FILE *file = fopen(found.gl_pathv[i], "r");
        size_t n = file ? fread(name, 1, strlen("package"), file) : 0;
        if (file)
            fclose(file);
        if (n < strlen("package") || strcmp(name, "package") != 0)
            continue;
        snprintf(path, sizeof path, "%.*smax_energy_range_uj", length, found.gl_pathv[i]);
        double range = read_number(path);
        snprintf(path, sizeof path, "%.*senergy_uj", length, found.gl_pathv[i]);
        add_counter(energy, path, 0, range);
    }
    globfree(&found);
}

/* The first file of the board's that the pattern means: a second one may hold parts of it. */
static void find_board(const char *sysfs, const char *place, const char *file, int is_power,
                       bench_energy *energy)
{
    char pattern[256];
    glob_t found = {0};
    snprintf(pattern, sizeof pattern, "%s/bus/pci/devices/*:%s/hwmon/hwmon*/%s", sysfs, place,
             file);
    if (energy->n == 0 && glob(pattern, 0, NULL, &found) == 0)
        add_counter(energy, found.gl_pathv[0], is_power, NAN);
    globfree(&found);
}

/* Sets a pointer to a function; 0 where the library lacks it. */
static int find_function(void *library, const char *name, void *pointer)
{
    void *symbol = dlsym(library, name);
    memcpy(pointer, &symbol, sizeof symbol);
    return symbol != NULL;
}

/* The board by its place on the bus; without one, NVML's only board. 0 is NVML's success. */
static void find_nvml(const char *library, const char *place, bench_energy *energy)
{
    unsigned n = 0;
    char bus_id[40];
    int (*init)(void), (*count)(unsigned *), (*by_index)(unsigned, void **);
    int (*by_place)(const char *, void **);
    void *nvml = energy->nvml = dlopen(library, RTLD_NOW | RTLD_LOCAL);
    if (!nvml || !find_function(nvml, "nvmlInit_v2", &init) ||
        !find_function(nvml, "nvmlDeviceGetCount_v2", &count) ||
        !find_function(nvml, "nvmlDeviceGetHandleByIndex_v2", &by_index) ||
        !find_function(nvml, "nvmlDeviceGetHandleByPciBusId_v2", &by_place) ||
        !find_function(nvml, "nvmlDeviceGetTotalEnergyConsumption", &energy->read_board) ||
        init() != 0)
        return;
    snprintf(bus_id, sizeof bus_id, "0000:%s", place);
    if (*place ? by_place(bus_id, &energy->board) != 0
               : count(&n) != 0 || n != 1 || by_index(0, &energy->board) != 0)
        energy->board = NULL;
}

static double read_board(const bench_energy *energy)
{
    unsigned long long so_far = 0;
    return energy->read_board(energy->board, &so_far) == 0 ? milli * (double)so_far : NAN;
}

void bench_energy_open_at(const char *sysfs, const char *nvml, const meso_device_info *device,
                          bench_energy *energy)
{
    unsigned bus, slot, function;
    char place[32] = "";
    *energy = (bench_energy){.source = "none"};
    if (sscanf(device->hardware, "pci %x:%x.%x", &bus, &slot, &function) == 3)
        snprintf(place, sizeof place, "%02x:%02x.%x", bus, slot, function);
    if (device->type == MESO_DEVICE_CPU) {
        find_packages(sysfs, energy);
    } else if (*place) {
        find_board(sysfs, place, "energy*_input", 0, energy);
        find_board(sysfs, place, "power*_average", 1, energy);
    }
    if (energy->n > 0)
        energy->source = device->type == MESO_DEVICE_CPU ? "powercap" : "hwmon";
    else if (strstr(device->vendor, "NVIDIA"))
        find_nvml(nvml, place, energy);
    if (energy->board)
        energy->source = "nvml";
    bench_energy_start(energy);
    if (isnan(bench_energy_stop(energy)))
        energy->source = "none"; /* for other users than this one, perhaps */
}

void bench_energy_open(const meso_device_info *device, bench_energy *energy)
{
    bench_energy_open_at("/sys", "libnvidia-ml.so.1", device, energy);
}

void bench_energy_start(bench_energy *energy)
{
    for (size_t i = 0; i < energy->n; i++)
        energy->counters[i].before = read_number(energy->counters[i].path);
    if (energy->board)
        energy->board_before = read_board(energy);
    energy->started = meso_seconds();
}

static double joules_of(const bench_counter *c, double now, double seconds)
{
    if (c->is_power)
        return c->unit * (c->before + now) / 2 * seconds;
    return c->unit * (now < c->before ? now + c->range - c->before : now - c->before);
}

double bench_energy_stop(bench_energy *energy)
{
    double seconds = meso_seconds() - energy->started, joules = 0;
    for (size_t i = 0; i < energy->n; i++) {
        const bench_counter *c = &energy->counters[i];
        joules += joules_of(c, read_number(c->path), seconds);
    }
    if (energy->board)
        return read_board(energy) - energy->board_before;
    return energy->n > 0 ? joules : NAN;
}

void bench_energy_close(bench_energy *energy)
{
    int (*shutdown)(void);
    if (energy->nvml && find_function(energy->nvml, "nvmlShutdown", &shutdown))
        shutdown();
    if (energy->nvml)
        dlclose(energy->nvml);
    *energy = (bench_energy){0};
}
