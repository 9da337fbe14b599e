/* SPDX-License-Identifier: Apache-2.0
 *
 * Stands in for NVML in test_bench_energy.c: MESO_STUB_BOARDS boards, of which the first is at
 * 0000:3b:00.0. Board i has taken i + 1 joules more at each question; more than MESO_STUB_ANSWERS
 * questions are refused.
 */
#include <stdlib.h>
#include <string.h>

#define VISIBLE __attribute__((visibility("default")))

enum { success = 0, not_found = 6, unknown = 999, most_boards = 4 };

static unsigned long long millijoules[most_boards];

static unsigned number_of(const char *variable)
{
    const char *text = getenv(variable);
    return text ? (unsigned)strtoul(text, NULL, 10) : 0;
}

VISIBLE int nvmlInit_v2(void);
int nvmlInit_v2(void)
{
    return success;
}

VISIBLE int nvmlShutdown(void);
int nvmlShutdown(void)
{
    return success;
}

VISIBLE int nvmlDeviceGetCount_v2(unsigned *n);
int nvmlDeviceGetCount_v2(unsigned *n)
{
    *n = number_of("MESO_STUB_BOARDS");
    return success;
}

VISIBLE int nvmlDeviceGetHandleByIndex_v2(unsigned i, void **board);
int nvmlDeviceGetHandleByIndex_v2(unsigned i, void **board)
{
    *board = &millijoules[i];
    return i < number_of("MESO_STUB_BOARDS") ? success : not_found;
}

VISIBLE int nvmlDeviceGetHandleByPciBusId_v2(const char *place, void **board);
int nvmlDeviceGetHandleByPciBusId_v2(const char *place, void **board)
{
    *board = millijoules;
    return strcmp(place, "0000:3b:00.0") == 0 ? success : not_found;
}

VISIBLE int nvmlDeviceGetTotalEnergyConsumption(void *board, unsigned long long *so_far);
int nvmlDeviceGetTotalEnergyConsumption(void *board, unsigned long long *so_far)
{
    static unsigned n_questions;
    unsigned long long *taken = board;
    *taken += 1000 * (unsigned long long)(taken - millijoules + 1);
    *so_far = *taken;
    return ++n_questions > number_of("MESO_STUB_ANSWERS") ? unknown : success;
}
