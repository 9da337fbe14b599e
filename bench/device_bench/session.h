/* SPDX-License-Identifier: Apache-2.0
 *
 * What the measuring subcommands share: devices, the plan's run with a progress bar, and the
 * document as text, Markdown, CSV, JSON or a page.
 */
#ifndef MESO_BENCH_SESSION_H
#define MESO_BENCH_SESSION_H

#include "base/text.h"
#include "common.h"
#include "measure.h"
#include "options.h"
#include "output.h"

typedef struct bench_session {
    const char *device, *html, *batches;
    uint64_t n_threads, n_processes;
    double seconds;
    meso_path path;
    int json, csv, markdown;
    int together;    /* 1: then all devices at once, with one net */
    bench_rows rows; /* what tables show */
    meso_text command;
    tool_drivers drivers;
    size_t *devices; /* [n_devices] chosen, positions in drivers */
    size_t n_devices;
    bench_job *jobs;
    size_t n_jobs;
} bench_session;

/* clang-format off */
#define BENCH_SESSION_OPTIONS(s) \
    {"threads", 'j', MESO_OPTION_UNSIGNED, {.number = &(s).n_threads}, "N", \
     "cores of a CPU device that may work; default: all", 1, 1024}, \
    {"processes", 'p', MESO_OPTION_UNSIGNED, {.number = &(s).n_processes}, "N", \
     "measure in so many processes, one after another: they differ more than repeats within one", \
     1, 100}, \
    {"seconds", 's', MESO_OPTION_REAL, {.real = &(s).seconds}, "S", \
     "to measure each batch size in each process, at least five rounds", 0.001, 3600}, \
    MESO_OPTION_PATH((s).path), \
    {"json", '\0', MESO_OPTION_FLAG, {.flag = &(s).json}, NULL, \
     "one JSON document with all samples on stdout", 0, 0}, \
    {"csv", '\0', MESO_OPTION_FLAG, {.flag = &(s).csv}, NULL, "the table as CSV", 0, 0}, \
    {"markdown", '\0', MESO_OPTION_FLAG, {.flag = &(s).markdown}, NULL, \
     "the table as Markdown, to paste", 0, 0}, \
    {"html", '\0', MESO_OPTION_TEXT, {.text = &(s).html}, "FILE", \
     "writes a page with tables and rooflines, too", 0, 0}
/* clang-format on */

/* Finds and matches devices. -1, or the exit code after a sentence on stderr. */
int bench_session_open(bench_session *session);

/* What the options say of every spec. */
void bench_session_fill(const bench_session *session, bench_spec *spec);

/* Adds a job on each chosen device. 0: out of memory. */
int bench_session_add(bench_session *session, const bench_spec *spec);

/* Runs the jobs, writes the document, says failures on stderr. The exit code; *document, where not
 * NULL, is the caller's. */
int bench_session_run(bench_session *session, json_t **document);
void bench_session_close(bench_session *session);

#endif
