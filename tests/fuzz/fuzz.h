/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MESO_TESTS_FUZZ_H
#define MESO_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* What libFuzzer calls with each input. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

#endif
