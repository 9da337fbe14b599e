/* SPDX-License-Identifier: Apache-2.0
 *
 * What the measuring subcommands share: devices, the plan's run with a progress bar, and the
 * document as text, Markdown, CSV, JSON or a page.
 */
#ifndef MESO_BENCH_SESSION_H
#define MESO_BENCH_SESSION_H

#include "common.h"
#include "measure.h"
#include "options.h"
#include "output.h"
#include "progress.h"

typedef struct bench_session {
    const char *device, *html, *batches;
    uint64_t n_threads, n_processes;
    double seconds;
    meso_path path;
    int json, csv, markdown;
    int together;    /* 1: then all devices at once, with one net */
    bench_rows rows; /* what tables show */
    tool_drivers drivers;
    bench_job *jobs;
    size_t n_jobs;
} bench_session;

/* clang-format off */
#define BENCH_SESSION_OPTIONS(s) \
    OPT_COUNT("cores", 0, (s).n_threads, "N", 1, 1024, \
        "cores of a CPU device that may work; default: all"), \
    OPT_COUNT("processes", 'p', (s).n_processes, "N", 1, 100, \
        "measure in so many processes, one after another: they differ more than repeats within " \
        "one"), \
    OPT_REAL("seconds", 0, (s).seconds, "S", 0.001, 3600, \
        "to measure each batch size in each process, at least five rounds"), \
    OPT_PATH((s).path), \
    OPT_FORM("json", 0, (s).json, "one JSON document with all samples on stdout"), \
    OPT_FORM("csv", 0, (s).csv, "CSV on stdout: the table"), \
    OPT_FORM("markdown", 0, (s).markdown, "Markdown on stdout: the table, to paste"), \
    OPT_REPORT("html", 0, (s).html, "FILE", "write a page with tables and rooflines, too"), \
    OPT_PROGRESS
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
