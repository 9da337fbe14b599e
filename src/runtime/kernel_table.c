/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/kernel_table.h"

#define MESO_ROW(id, group, ...) {group, {__VA_ARGS__}},
const meso_program_row meso_program_rows[MESO_N_PROGRAMS] = {MESO_PROGRAMS(MESO_ROW)};
#undef MESO_ROW

#define MESO_ROW(id, name, program, kinds) {name, MESO_PROGRAM_##program, kinds},
const meso_kernel_row meso_kernel_rows[MESO_N_KERNELS] = {MESO_KERNELS(MESO_ROW)};
#undef MESO_ROW
