/* SPDX-License-Identifier: Apache-2.0
 *
 * Seeded random numbers, the same on every machine: SplitMix64 (Steele, Lea, Flood 2014).
 */
#ifndef MESO_BASE_RANDOM_H
#define MESO_BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

typedef struct meso_random {
    uint64_t state; /* any value is a seed */
} meso_random;

static inline uint64_t meso_random_u64(meso_random *random)
{
    uint64_t z = random->state += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

/* Numbers of their own for each pair (a, b), whatever was drawn for others. */
static inline meso_random meso_random_for(uint64_t seed, uint64_t a, uint64_t b)
{
    meso_random random = {seed};
    random.state = meso_random_u64(&random) ^ a;
    random.state = meso_random_u64(&random) ^ b;
    random.state = meso_random_u64(&random);
    return random;
}

/* Uniform in [0, 1), 53 bits. */
static inline double meso_random_unit(meso_random *random)
{
    return (double)(meso_random_u64(random) >> 11) * 0x1p-53;
}

static inline double meso_random_uniform(meso_random *random, double low, double high)
{
    return low + (high - low) * meso_random_unit(random);
}

/* Uniform in [0, n), n ≥ 1. The modulo's bias is below n / 2⁶⁴. */
static inline size_t meso_random_below(meso_random *random, size_t n)
{
    return (size_t)(meso_random_u64(random) % n);
}

/* Fisher and Yates' shuffle. */
static inline void meso_random_shuffle(meso_random *random, size_t *values, size_t n)
{
    for (size_t i = n; i > 1; i--) {
        size_t k = meso_random_below(random, i), other = values[k];
        values[k] = values[i - 1];
        values[i - 1] = other;
    }
}

#endif
