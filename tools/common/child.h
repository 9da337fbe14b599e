/* SPDX-License-Identifier: Apache-2.0
 *
 * Work in which a driver may crash, hang or end the process is done by this program run anew: the
 * answer comes back through a pipe, within a time limit (child.c). selftest_child.c is such a work.
 */
#ifndef MESO_TOOLS_CHILD_H
#define MESO_TOOLS_CHILD_H

#include <jansson.h>

#include "base/error.h"
#include "base/text.h"
#include "mesocl/status.h"
#include "process.h"
#include "progress.h"

typedef struct tool_child {
    const char *work;     /* a name that was offered */
    const char *vendors;  /* the child's OCL_ICD_VENDORS, alone; NULL: the environment as it is */
    const char *argument; /* of the work */
    int quiet;            /* 1: what the driver says on stderr is not shown */
    double idle_limit;    /* so many seconds without work are a hanging driver; 0: no limit */
    tool_progress *progress; /* is told the child's steps, on top of those before; NULL: nobody */
    meso_text answer;        /* what the work answered; the caller frees it */
    meso_error error;        /* its failure, or how the process ended without an answer */
    tool_process process;    /* the rest is child.c's own */
    double patience;         /* seconds for the next word */
    size_t n_before;
} tool_child;

/* Runs n children side by side until each has answered, ended, or its time is over: `seconds`, or
 * what it announced last. */
void tool_children_run(tool_child *children, size_t n, double seconds);

/* The same where argument and answer are JSON: questions [n], answers [n], each the caller's or
 * NULL where there is none; error says why. */
void tool_children_ask(tool_child *children, json_t *const *questions, json_t **answers, size_t n,
                       double seconds);

/* What a work does, in the child: fills the answer. */
typedef meso_status tool_child_work(const char *argument, meso_text *answer, meso_error *error);
typedef meso_status tool_child_json_work(json_t *question, json_t **answer, meso_error *error);

/* In the child: the answer or the next announcement comes within so many seconds. Elsewhere without
 * effect. */
void tool_child_announce(double seconds);

/* In the child: one more step is done, which the next announcement says. */
void tool_child_step(void);

/* One more work that this program can be run for; before tool_child_main. */
void tool_child_offer(const char *name, tool_child_work *function);
void tool_child_offer_json(const char *name, tool_child_json_work *function);

/* In the child: 1 if this is one; *code is then the exit code of the program. */
int tool_child_main(int argc, char **argv, int *code);

/* A row of the self-test as it comes from a child. */
typedef struct tool_selftest_record {
    char net[32], path[16], input[16], detail[256];
    double expected, got;
    int passed;
} tool_selftest_record;

/* The work "selftest" of a child: tool_selftest_record, as many as there are; argument: device. */
meso_status tool_child_selftest(const char *argument, meso_text *answer, meso_error *error);

#endif
