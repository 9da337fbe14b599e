/* SPDX-License-Identifier: Apache-2.0
 *
 * The report of a study for people: what came out first, then why, then how.
 */
#include "study_results.h"

#include "base/error.h"
#include "facts_report.h"
#include "mesocl/image.h"
#include "report/report_json.h"

enum { most_shortcuts = 4, most_pairs = 100 /* as the caption says */, most_links = 12 };

typedef report_table table_maker(const db_results *r);

static void tell_table(report_writer *w, const char *caption, table_maker *make,
                       const db_results *r)
{
    report_table table = make(r);
    report_writer_table(w, caption, &table);
}

static void tell_findings(report_writer *w, const db_results *r)
{
    report_writer_section(w, "Findings");
    if (r->n_done < r->n_jobs)
        report_writer_paragraph(w, "%zu of %zu jobs are done: figures will change.", r->n_done,
                                r->n_jobs);
    for (size_t i = 0; i < r->sentences.n; i++)
        report_writer_paragraph(w, "%s", r->sentences.lines[i]);
}

static void tell_matrix(report_writer *w, const db_results *r)
{
    report_writer_section(w, "Trained on × tested on");
    report_writer_paragraph(
        w,
        "Means over %zu seeds with 95 %% intervals: images (recordings, where they are known) by "
        "%llu bootstrap resamples, training runs by Student's t. %s",
        r->study->plan.n_seeds, (unsigned long long)r->study->plan.resamples,
        r->study->plan.n_seeds < 2 ? "With one seed they leave out the variance of training runs."
                                   : "");
    if (w->form == REPORT_AS_HTML)
        db_study_heat_maps(&w->page, r);
    tell_table(w, "Every cell", db_table_matrix, r);
    if (r->study->plan.protocol)
        tell_table(w, "In the form of the published study", db_table_published, r);
    tell_table(w,
               "Differences in accuracy on images held out from both training sets; interval and "
               "p alone, then corrected for all comparisons (Holm)",
               db_table_comparisons, r);
    tell_table(w, "Baselines", db_table_baselines, r);
}

static void tell_leakage(report_writer *w, const db_results *r)
{
    const db_study *study = r->study;
    report_table pairs = db_pairs_table();
    for (size_t i = 0; i < study->facts.n_pairs; i++) {
        const study_pair_facts *pair = &study->facts.pairs[i];
        const db_side a = {study->facts.sets[pair->a].name, &study->lists[pair->a].files};
        const db_side b = {study->facts.sets[pair->b].name, &study->lists[pair->b].files};
        db_add_pairs(&pairs, a, b, &pair->leaks, most_pairs);
    }
    tell_table(w,
               study->plan.keep_leaks ? "Leakage: test images that a training set has, too; kept"
                                      : "Leakage: test images that a training set has, too; left "
                                        "out of that cell",
               db_table_leaks, r);
    report_writer_table(w, "The first 100 of each kind; study_result.json has all", &pairs);
}

static void tell_datasets(report_writer *w, const db_results *r)
{
    report_writer_section(w, "The datasets");
    tell_table(w, NULL, db_table_sets, r);
    if (r->study->plan.equalize || r->study->plan.limit)
        report_writer_paragraph(
            w, "Where a set has more images than are used, those are taken whose content has the "
               "smallest hash.");
    db_tell_properties(w, &r->study->facts, 0);
    if (w->form == REPORT_AS_HTML)
        db_histograms(&w->page, &r->study->facts);
    report_writer_section(w, "Duplicates and leakage");
    db_tell_counts(w, &r->study->facts);
    tell_leakage(w, r);
    report_writer_section(w, "Shortcuts");
    db_tell_shortcuts(w, &r->study->facts, most_shortcuts);
    db_tell_passed(w, &r->study->facts);
}

static void tell_why(report_writer *w, const db_results *r)
{
    report_writer_section(w, "Why");
    tell_table(w, "Distances between sets", db_table_distances, r);
    for (size_t t = 0; t < r->study->plan.n_test; t++) {
        meso_text caption = {0};
        report_table links = db_table_links(r, t, most_links);
        meso_text_format(&caption,
                         "Rank correlation of properties with accuracy on %s over %zu training "
                         "sets, the strongest first",
                         r->study->plan.test[t].name, r->study->plan.n_train);
        report_writer_table(w, caption.bytes, &links);
        meso_text_free(&caption);
    }
}

/* All but where it comes from. */
static void report(report_writer *w, const db_results *r, int thumbnails)
{
    tell_findings(w, r);
    tell_matrix(w, r);
    tell_why(w, r);
    tell_datasets(w, r);
    if (w->form == REPORT_AS_HTML) {
        report_writer_section(w, "Curves");
        db_study_curves(&w->page, r);
    }
    if (w->form == REPORT_AS_HTML && thumbnails)
        db_study_mistakes(&w->page, r);
    report_writer_section(w, "Devices and jobs");
    tell_table(w, "Each cell on each device", db_table_devices, r);
    tell_table(w, "Every training", db_table_jobs, r);
}

/* ---- files ---- */

static report_provenance provenance_of(const db_results *r, meso_text *command)
{
    const study_outcome *first = r->outcomes;
    while (!first->device[0] && first + 1 < r->outcomes + r->n_jobs)
        first++;
    meso_text_format(command, "dataset_bench run --resume ");
    char *folder = (char *)r->study->folder;
    report_command_line(1, &folder, command);
    return (report_provenance){.device = first->device,
                               .driver = first->driver,
                               .decoders = meso_image_decoders(),
                               .resize = REPORT_RESIZE,
                               .net = r->study->plan.variants[0].options.net,
                               .command = command->bytes};
}

static meso_status write_page(const db_results *r, report_form form, const char *path,
                              int thumbnails, const report_provenance *provenance,
                              meso_error *error)
{
    report_writer writer = {.form = form, .page.title = "Which dataset makes the better detector"};
    if (form == REPORT_AS_MARKDOWN)
        meso_text_add(&writer.out, "# Which dataset makes the better detector\n");
    report(&writer, r, thumbnails);
    report_writer_finish(&writer, provenance);
    return report_put(&writer.out, path, error);
}

meso_status db_results_write(const db_results *r, int thumbnails, meso_error *error)
{
    meso_status status = MESO_OK;
    char path[DB_PATH_SIZE];
    meso_text command = {0}, json = {0}, csv = {0};
    report_table matrix = db_table_matrix(r);
    const report_provenance provenance = provenance_of(r, &command);
    report_table_csv(&matrix, &csv);
    report_json_put(db_study_json(r, &provenance), &json);
    MESO_TRY(report_put(&json, db_study_path(r->study, path, "study_result.json"), error));
    MESO_TRY(report_put(&csv, db_study_path(r->study, path, "study_result.csv"), error));
    MESO_TRY(write_page(r, REPORT_AS_MARKDOWN, db_study_path(r->study, path, "study.md"),
                        thumbnails, &provenance, error));
    MESO_TRY(write_page(r, REPORT_AS_HTML, db_study_path(r->study, path, "study.html"), thumbnails,
                        &provenance, error));
out:
    report_table_free(&matrix);
    meso_text_free(&command);
    meso_text_free(&csv);
    return status;
}
