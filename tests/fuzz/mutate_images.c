/* SPDX-License-Identifier: Apache-2.0
 *
 * mutate_images N FILE…: decodes N pictures that are the files with bytes changed, moved or cut at
 * random. None may crash, take over a second, or over 64 MB more memory than there was at the
 * start.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/random.h"
#include "mesocl/image.h"

enum { max_bytes = 1 << 20, limit_kib = 64 << 10 };

static long peak_kib(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
}

/* Up to three changes; returns the new length. */
static size_t mutate(meso_random *random, uint8_t *bytes, size_t n)
{
    for (size_t left = 1 + meso_random_below(random, 3); left > 0 && n > 8; left--) {
        size_t at = meso_random_below(random, n), to = meso_random_below(random, n);
        size_t run = 1 + meso_random_below(random, n - (at > to ? at : to));
        switch (meso_random_below(random, 16)) {
        case 0: /* cut */
            n = at;
            break;
        case 1: /* a run elsewhere */
            memmove(bytes + to, bytes + at, run);
            break;
        case 2: /* a number at its limit */
            bytes[at] = meso_random_below(random, 2) ? 0xFF : 0x80;
            break;
        default:
            bytes[at] ^= (uint8_t)(1u << meso_random_below(random, 8));
        }
    }
    return n;
}

/* A block of exact size, so that a read behind it is found. Returns 0 where a limit is passed. */
static int decode(const uint8_t *bytes, size_t n, long start_kib, size_t *n_ok)
{
    meso_image image = MESO_INIT(meso_image);
    uint8_t *exact = malloc(n ? n : 1);
    if (!exact)
        return 0;
    memcpy(exact, bytes, n);
    double started = meso_seconds();
    *n_ok += meso_image_decode(exact, n, "mutated", NULL, &image, NULL, NULL) == MESO_OK;
    double seconds = meso_seconds() - started;
    meso_image_free(&image);
    free(exact);
    if (seconds <= 1 && peak_kib() - start_kib <= limit_kib)
        return 1;
    printf("%.2f s, %ld KiB more than at the start\n", seconds, peak_kib() - start_kib);
    return 0;
}

int main(int argc, char **argv)
{
    static uint8_t bytes[max_bytes];
    meso_random random = {17};
    size_t n_ok = 0, n_trials = argc > 2 ? strtoul(argv[1], NULL, 10) : 0;
    long start_kib = peak_kib();
    for (size_t i = 0; i < n_trials; i++) {
        void *file = NULL;
        size_t n = 0;
        const char *path = argv[2 + i % (size_t)(argc - 2)];
        if (meso_file_read(path, max_bytes, &file, &n, NULL, NULL) != MESO_OK)
            return 1;
        memcpy(bytes, file, n);
        free(file);
        if (!decode(bytes, mutate(&random, bytes, n), start_kib, &n_ok)) {
            printf("trial %zu, from %s\n", i, path);
            return 1;
        }
    }
    printf("%zu mutated images, %zu decoded, peak %ld KiB over the start\n", n_trials, n_ok,
           peak_kib() - start_kib);
    return n_trials == 0;
}
