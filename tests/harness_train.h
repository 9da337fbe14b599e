/* SPDX-License-Identifier: Apache-2.0
 *
 * Small runs of training for tests: a net of 16×16 pixels, drawn pictures that it can learn.
 */
#ifndef MESO_TESTS_HARNESS_TRAIN_H
#define MESO_TESTS_HARNESS_TRAIN_H

#include <stddef.h>

/* Writes tiny.net and data/fake, data/real with so many pictures of each class into the working
 * directory: stripes along x are fakes, stripes along y reals, with noise. */
void harness_put_training(size_t n_per_class);

/* One of the pictures, at any path. */
void harness_put_stripes(const char *path, int real, unsigned number);

/* What most tests begin with. */
#define HARNESS_TRAIN "train data --val-split 0.25 --net tiny.net --batch 8 --lr 0.01 "

/* Runs mesocl with words and expects the exit code; returns stdout and stderr together, to be
 * freed. */
char *harness_train(const char *words, int code);

/* Starts mesocl with words and returns at once; its output goes to the file "log". */
int harness_start(const char *words);

/* Waits until a file of that pattern (glob) is there, at most 30 s, or the process has ended; 1 if
 * one is there. */
int harness_wait_for(const char *pattern, int process);

/* The exit code, 1000 + signal where it was killed. */
int harness_end(int process);

/* Are two files equal, byte for byte? Both must be there. */
int harness_same_file(const char *a, const char *b);
void harness_expect_same_runs(const char *a, const char *b); /* their models and metrics */

#endif
