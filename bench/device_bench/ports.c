/* SPDX-License-Identifier: Apache-2.0
 *
 * The bound that a processor's ports set to the fused kernels. The peak counts multiply-adds alone,
 * while kernels add, compare and shuffle, too: on some processors beside the multiply-adds, on
 * others in their place. bench/ports.py has counted the vector instructions of a picture for rows
 * of tune/.
 */
#include <math.h>
#include <string.h>

#include "base/embedded.h"
#include "base/json_builder.h"
#include "measure.h"

/* How many vector instructions of a kind go in the time in which two multiply-adds do, in pairs of
 * the full width:
 *   Intel  512 bits: ports 0 and 5 do everything (Optimization Reference Manual, 2.6 on)
 *   AMD    Zen 4, 5: two pipes multiply, two add, all four do the rest (Software Optimization
 *          Guides 57647 and 58455, 2.11); where a pipe is half as wide, all are
 */
static const struct {
    const char *maker; /* in the device's name */
    double multiplies, adds, all;
} ports[] = {{"AMD", 1, 1, 2}, {"Intel", 1, 1, 1}};

/* The row of tune/ that computed, as JSON; NULL: another one, or none. */
static json_t *row_of(const json_t *first)
{
    const char *name = json_string_value(json_object_get(first, "tuning"));
    const char *path = json_string_value(json_object_get(first, "path"));
    const char *direction = json_string_value(json_object_get(first, "direction"));
    if (!name || !path || !direction || strcmp(path, "fused") != 0 ||
        strcmp(direction, "predict") != 0)
        return NULL;
    for (const meso_embedded *file = meso_embedded_tunings; file->name; file++)
        if (strcmp(file->name, name) == 0)
            return json_loadb(file->text, file->length, 0, NULL);
    return NULL;
}

/* Multiply-adds that take as long as a picture's vector instructions; NaN: not counted. */
static double as_multiply_adds(const json_t *row, const json_t *first)
{
    const char *net = json_string_value(json_object_get(first, "net"));
    const char *device = json_string_value(json_object_get(first, "device"));
    const json_t *counts =
        json_object_get(json_object_get(row, "vector_instructions"), net ? net : "");
    const double multiplies = meso_json_number_of(counts, "multiply"),
                 adds = meso_json_number_of(counts, "add"),
                 other = meso_json_number_of(counts, "other");
    for (size_t i = 0; counts && device && i < sizeof ports / sizeof ports[0]; i++)
        if (strstr(device, ports[i].maker))
            return fmax((multiplies + adds + other) / ports[i].all,
                        fmax(multiplies / ports[i].multiplies, adds / ports[i].adds));
    return NAN;
}

double bench_port_bound(const json_t *first, double peak_gflops)
{
    json_t *row = row_of(first);
    const double lanes = meso_json_number_of(json_object_get(row, "values"), "lanes");
    const double bound = 1e9 * peak_gflops / (2 * lanes) / as_multiply_adds(row, first);
    json_decref(row);
    return bound;
}
