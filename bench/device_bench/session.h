/* SPDX-License-Identifier: Apache-2.0
 *
 * What the measuring subcommands share: devices, the plan's run with a progress bar, and the
 * document as text, Markdown, CSV, JSON or a page. session.c runs, output.c writes tables and
 * pages.
 */
#ifndef MESO_BENCH_SESSION_H
#define MESO_BENCH_SESSION_H

#include <jansson.h>

#include "base/text.h"
#include "common.h"
#include "measure.h"
#include "options.h"
#include "progress.h"

/* What stands in the rows: whole nets, every layer of them, or what was checked. */
typedef enum bench_rows { BENCH_NETS, BENCH_LAYERS, BENCH_CHECKS } bench_rows;

typedef struct bench_session {
    const char *device, *html, *batches;
    uint64_t n_threads, n_processes;
    double seconds;
    meso_path path;
    int json, csv, markdown;
    int together;    /* 1: then all devices at once, with one net */
    bench_rows rows; /* what tables show */
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

/* Measures each spec on each chosen device: by the session's path, threads and seconds. Writes the
 * document, says failures on stderr. The exit code; *document, where not NULL, is the caller's, and
 * NULL where nothing was measured. */
int bench_session_run(const bench_session *session, const bench_spec *specs, size_t n,
                      json_t **document);

typedef enum bench_format { BENCH_TEXT, BENCH_MARKDOWN, BENCH_CSV } bench_format;

/* Devices and their peaks stand below text and Markdown of what was timed. */
void bench_output_table(const json_t *document, bench_rows rows, bench_format format,
                        meso_text *out);

/* All of it as one HTML page, with a roofline for each device. */
void bench_output_page(const json_t *document, meso_text *out);

#endif
