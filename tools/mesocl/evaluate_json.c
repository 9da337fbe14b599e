/* SPDX-License-Identifier: Apache-2.0
 *
 * evaluate's JSON document.
 */
#include "data/list/passed.h"
#include "evaluate_metrics.h"
#include "evaluation.h"
#include "report/report_json.h"

static const char schema[] = "mesocl.evaluate/1";
static const char *const class_names[2] = {"fake", "real"};

/* truth → called → count. */
static json_t *confusion_object(const meso_metrics *m)
{
    meso_builder table = meso_build_object();
    for (size_t truth = 0; truth < 2; truth++) {
        meso_builder row = meso_build_object();
        for (size_t called = 0; called < 2; called++)
            meso_build_count(&row, class_names[called], m->confusion[truth][called]);
        meso_build_set(&table, class_names[truth], meso_build_end(&row));
    }
    return meso_build_end(&table);
}

static json_t *class_object(const meso_class_metrics *m)
{
    meso_builder row = meso_build_object();
    meso_build_number(&row, "precision", m->precision);
    meso_build_number(&row, "recall", m->recall);
    meso_build_number(&row, "f1", m->f1);
    meso_build_count(&row, "support", m->support);
    return meso_build_end(&row);
}

static json_t *report_object(const meso_metrics *m)
{
    meso_builder report = meso_build_object();
    meso_build_set(&report, class_names[0], class_object(&m->per_class[0]));
    meso_build_set(&report, class_names[1], class_object(&m->per_class[1]));
    meso_build_set(&report, "macro_average", class_object(&m->macro_average));
    meso_build_set(&report, "weighted_average", class_object(&m->weighted_average));
    return meso_build_end(&report);
}

static json_t *intervals_object(const tool_evaluation *e)
{
    meso_builder object = meso_build_object();
    meso_build_number(&object, "level", 0.95);
    meso_build_text(&object, "drawn", e->group ? "groups" : "images");
    meso_build_count(&object, "n_drawn", e->intervals.n_units);
    meso_build_count(&object, "n_resamples", e->intervals.n_resamples);
    for (size_t i = 0; i < meso_n_metric_rows; i++) {
        meso_interval interval = meso_metric_interval(&meso_metric_rows[i], &e->intervals);
        meso_build_set(
            &object, meso_metric_rows[i].key,
            json_pack("[oo]", meso_json_number(interval.low), meso_json_number(interval.high)));
    }
    return meso_build_end(&object);
}

static json_t *group_object(const tool_evaluation *e, const meso_group_score *group)
{
    meso_builder row = meso_build_object();
    meso_build_text(&row, "group", e->names.groups[group->group].name);
    meso_build_text(&row, "label", class_names[group->real]);
    meso_build_count(&row, "n", group->n_images);
    meso_build_number(&row, "p_fake", group->p_fake);
    meso_build_number(&row, "p_real", group->p_real);
    meso_build_flag(&row, "correct", meso_is_real(group->p_real, e->threshold) == group->real);
    return meso_build_end(&row);
}

/* null without groups. */
static json_t *groups_object(const tool_evaluation *e)
{
    const meso_metrics *m = &e->group_metrics;
    if (!e->group)
        return json_null();
    meso_builder object = meso_build_object();
    meso_builder scores = meso_build_list();
    for (size_t i = 0; i < e->n_groups; i++)
        meso_build_add(&scores, group_object(e, &e->groups[i]));
    meso_build_count(&object, "n", m->n);
    meso_build_count(&object, "correct", m->correct);
    meso_build_number(&object, "accuracy", m->accuracy);
    meso_build_number(&object, "balanced_accuracy", m->balanced_accuracy);
    meso_build_number(&object, "auc", m->auc);
    meso_build_set(&object, "scores", meso_build_end(&scores));
    return meso_build_end(&object);
}

static json_t *refused_array(const tool_evaluation *e)
{
    meso_builder refused = meso_build_list();
    for (size_t i = 0; i < e->dataset->n_items; i++) {
        const tool_evaluated *file = &e->files[i];
        if (file->refusal == MESO_IMAGE_OK)
            continue;
        meso_builder row = meso_build_object();
        report_build_file(&row, e->dataset->items[i].path);
        meso_build_text(&row, "error", meso_refusal_name(file->refusal));
        meso_build_text(&row, "detail", file->detail);
        meso_build_add(&refused, meso_build_end(&row));
    }
    return meso_build_end(&refused);
}

/* How many files each of several devices has answered. */
static json_t *devices_object(const tool_evaluation *e)
{
    json_t *object = json_object();
    for (size_t i = 0; i < e->dataset->n_items; i++) {
        const char *id = tool_scoring_device_of(e->scoring, i);
        const json_int_t n = json_integer_value(json_object_get(object, id));
        json_object_set_new(object, id, json_integer(n + 1));
    }
    return object;
}

static void set_metrics(meso_builder *b, const meso_metrics *metrics)
{
    for (size_t i = 0; i < meso_n_metric_rows; i++)
        meso_build_number(b, meso_metric_rows[i].key,
                          meso_metric_value(&meso_metric_rows[i], metrics));
}

static json_t *constant_object(const tool_evaluation *e)
{
    meso_builder object = meso_build_object();
    meso_build_number(&object, "p_real",
                      (double)e->metrics.per_class[1].support / (double)e->metrics.n);
    set_metrics(&object, &e->constant);
    return meso_build_end(&object);
}

void tool_evaluate_json(const tool_evaluation *e, const report_provenance *provenance,
                        meso_text *out)
{
    meso_builder document = meso_build_object();
    meso_text verdict = {0};
    meso_build_text(&document, "schema", schema);
    meso_build_count(&document, "n", e->tally.n_scored);
    meso_build_count(&document, "n_refused", e->tally.n_refused);
    meso_build_count(&document, "n_suspect", e->tally.n_suspect);
    meso_build_count(&document, "n_exif_turned", e->tally.n_turned);
    meso_build_count(&document, "n_unreadable_folders", e->dataset->n_unreadable);
    meso_build_set(&document, "passed_over", meso_passed_json(e->dataset));
    meso_build_count(&document, "correct", e->metrics.correct);
    meso_build_number(&document, "threshold", e->threshold);
    set_metrics(&document, &e->metrics);
    meso_build_number(&document, "eer_threshold", e->metrics.eer_threshold);
    meso_build_set(&document, "confusion", confusion_object(&e->metrics));
    meso_build_set(&document, "report", report_object(&e->metrics));
    meso_build_set(&document, "constant", constant_object(e));
    meso_build_set(&document, "groups", groups_object(e));
    meso_build_set(&document, "intervals", intervals_object(e));
    tool_evaluation_say(e, &verdict);
    meso_build_text(&document, "verdict", verdict.bytes);
    meso_text_free(&verdict);
    meso_build_set(&document, "refused", refused_array(e));
    if (e->scoring->team)
        meso_build_set(&document, "devices", devices_object(e));
    meso_build_set(&document, "provenance", report_provenance_json(provenance));
    if (e->times)
        meso_build_set(&document, "timing", tool_times_json(e->times));
    report_json_put(meso_build_end(&document), out);
}
