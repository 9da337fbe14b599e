/* SPDX-License-Identifier: Apache-2.0
 *
 * Runs mesocl, or another program, as a user does, without a shell, in folders that a test makes.
 */
#ifndef MESO_TESTS_HARNESS_RUN_H
#define MESO_TESTS_HARNESS_RUN_H

#include <stddef.h>

typedef enum harness_stdout {
    HARNESS_CAPTURED,
    HARNESS_CLOSED, /* no stdout at all */
    HARNESS_FULL,   /* a full disk */
    HARNESS_LEFT    /* a pipe that nobody reads any more */
} harness_stdout;

typedef struct harness_command {
    const char *program;            /* its path; NULL: mesocl */
    const char *words;              /* separated by blanks, or … */
    const char *const *argv;        /* … one by one, NULL at the end */
    const char *input;              /* for stdin; NULL: none */
    size_t n_input;                 /* 0: input is a string */
    const char *const *environment; /* "NAME=value", NULL at the end; NULL: as it is */
    harness_stdout to;
    int terminal;  /* 1: stderr is one */
    int interrupt; /* 1: SIGINT once the first output line is there */
} harness_command;

typedef struct harness_result {
    int code; /* exit code; 1000 + signal where it was killed */
    char *out, *err;
} harness_result;

/* The path of mesocl. */
const char *harness_program(void);

/* After five minutes, which a busy machine may need, the program is killed. The strings are to be
 * freed by harness_forget(). */
harness_result harness_run(const harness_command *command);
void harness_forget(harness_result *result);

/* A command line, the code it must end with, and what it must say on stderr ("": nothing at all).
 */
typedef struct harness_row {
    const char *words;
    int code;
    const char *said;
} harness_row;

/* Runs every row with a program, NULL: mesocl; fails at the first that ends or speaks otherwise. */
void harness_run_rows(const char *program, const harness_row *rows, size_t n);

/* Setup and teardown: a fresh working directory for each test, removed with all in it. */
int harness_enter_folder(void **state);
int harness_leave_folder(void **state);

/* Writes a file in it, with the folders above. n = 0: bytes is a string. */
void harness_put(const char *path, const char *bytes, size_t n);

/* A net so small that a run is a matter of seconds on any device. */
extern const char harness_tiny_net[];

/* A PPM picture of size × size pixels of one colour. */
void harness_put_picture(const char *path, int size, unsigned colour);

#endif
