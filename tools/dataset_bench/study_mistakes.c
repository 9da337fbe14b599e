/* SPDX-License-Identifier: Apache-2.0
 *
 * The images that the detectors were most wrong about.
 */
#include <stdio.h>
#include <stdlib.h>

#include "mesocl/image.h"
#include "report/report_html.h"
#include "study_results.h"

enum { most_mistakes = 8, side = 64, caption_size = 512 };

typedef struct mistake {
    size_t image;
    double wrong; /* mean probability of the wrong class, over the seeds */
} mistake;

static int compare_mistakes(const void *left, const void *right)
{
    const mistake *a = left, *b = right;
    if (a->wrong != b->wrong)
        return a->wrong < b->wrong ? 1 : -1;
    return a->image < b->image ? -1 : a->image > b->image;
}

/* Of the first variant, on images that counted. Returns how many there are. */
static size_t find_mistakes(const db_results *r, size_t train, size_t test, mistake *mistakes)
{
    const study_plan *plan = &r->study->plan;
    const study_list *list = &r->study->lists[plan->n_train + test];
    size_t n = 0;
    for (size_t i = 0; i < list->files.n_items; i++) {
        double sum = 0, n_seeds = 0;
        for (size_t s = 0; s < plan->n_seeds; s++) {
            size_t job = study_job_index(plan, train, 0, s);
            const study_outcome *o = &r->outcomes[job];
            float p = r->done[job] ? o->scored[test * o->n_devices].p_real[i] : -1;
            if (p < 0 || (r->excluded[train * plan->n_test + test][i] && !plan->keep_leaks))
                continue;
            sum += (double)p;
            n_seeds++;
        }
        const int real = list->files.items[i].label == MESO_REAL;
        if (n_seeds > 0 && meso_is_real(sum / n_seeds, 0.5) != real)
            mistakes[n++] = (mistake){i, real ? 1 - sum / n_seeds : sum / n_seeds};
    }
    qsort(mistakes, n, sizeof *mistakes, compare_mistakes);
    return n;
}

static void show(report_html *page, const meso_dataset_item *item, double wrong)
{
    meso_image_options options = MESO_INIT(meso_image_options);
    meso_image image = MESO_INIT(meso_image);
    uint8_t grey[side * side];
    char caption[caption_size];
    options.width = options.height = side;
    if (meso_image_load(item->path, &options, &image, NULL, NULL) != MESO_OK)
        return;
    for (size_t i = 0; i < side * side; i++)
        grey[i] = (uint8_t)((299 * image.rgb[3 * i] + 587 * image.rgb[3 * i + 1] +
                             114 * image.rgb[3 * i + 2]) /
                            1000);
    snprintf(caption, sizeof caption, "%s, P(%s) = %.3f: %s",
             item->label == MESO_REAL ? "real" : "fake", item->label == MESO_REAL ? "fake" : "real",
             wrong, item->path);
    const report_picture picture = {caption, grey, side, side};
    report_html_picture(page, &picture);
    meso_image_free(&image);
}

void db_study_mistakes(report_html *page, const db_results *r)
{
    const study_plan *plan = &r->study->plan;
    report_html_section(page, "The worst mistakes");
    for (size_t i = 0; i < plan->n_train * plan->n_test; i++) {
        size_t train = i / plan->n_test, test = i % plan->n_test;
        const meso_dataset *files = &r->study->lists[plan->n_train + test].files;
        mistake *mistakes = calloc(files->n_items + 1, sizeof *mistakes);
        char text[256];
        size_t n = mistakes ? find_mistakes(r, train, test, mistakes) : 0;
        snprintf(text, sizeof text, "Trained on %s, tested on %s: %zu images on the wrong side.",
                 plan->train[train].name, plan->test[test].name, n);
        report_html_paragraph(page, text);
        for (size_t k = 0; k < n && k < most_mistakes; k++)
            show(page, &files->items[mistakes[k].image], mistakes[k].wrong);
        page->body.out_of_memory |= !mistakes;
        free(mistakes);
    }
}
