/* SPDX-License-Identifier: Apache-2.0
 *
 * How an optimiser changes a weight, in both training paths.
 *
 * What rounding takes from a weight is kept for the next step: thousands of small steps lose
 * nothing.
 */
#define MOVE_WEIGHT(type, weight, rest, by)                                                        \
    do {                                                                                           \
        const type from_ = weight, step_ = (by) + (rest), to_ = from_ + step_;                     \
        rest = step_ - (to_ - from_);                                                              \
        weight = to_;                                                                              \
    } while (0)
