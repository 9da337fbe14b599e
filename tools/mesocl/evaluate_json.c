/* SPDX-License-Identifier: Apache-2.0
 *
 * evaluate's JSON document. A failed allocation gives NULL, which travels up: json_object_set_new
 * of NULL fails, and `set` remembers it.
 */
#include "evaluate_metrics.h"
#include "evaluate_output.h"
#include "report/report_json.h"

static const char schema[] = "mesocl.evaluate/1";
static const char *const class_names[2] = {"fake", "real"};

typedef struct builder {
    json_t *object;
    int failed;
} builder;

static builder begin(void)
{
    json_t *object = json_object();
    return (builder){object, object == NULL};
}

static void set(builder *b, const char *key, json_t *value)
{
    b->failed |= json_object_set_new(b->object, key, value) != 0;
}

static void set_number(builder *b, const char *key, double value)
{
    set(b, key, meso_json_number(value));
}

static void set_count(builder *b, const char *key, size_t count)
{
    set(b, key, json_integer((json_int_t)count));
}

/* The object, or NULL where anything failed. */
static json_t *end(builder *b)
{
    if (b->failed)
        json_decref(b->object);
    return b->failed ? NULL : b->object;
}

/* truth → called → count. */
static json_t *confusion_object(const meso_metrics *m)
{
    builder table = begin();
    for (size_t truth = 0; truth < 2; truth++) {
        builder row = begin();
        for (size_t called = 0; called < 2; called++)
            set_count(&row, class_names[called], m->confusion[truth][called]);
        set(&table, class_names[truth], end(&row));
    }
    return end(&table);
}

static json_t *class_object(const meso_class_metrics *m)
{
    builder row = begin();
    set_number(&row, "precision", m->precision);
    set_number(&row, "recall", m->recall);
    set_number(&row, "f1", m->f1);
    set_count(&row, "support", m->support);
    return end(&row);
}

static json_t *report_object(const meso_metrics *m)
{
    builder report = begin();
    set(&report, class_names[0], class_object(&m->per_class[0]));
    set(&report, class_names[1], class_object(&m->per_class[1]));
    set(&report, "macro_average", class_object(&m->macro_average));
    set(&report, "weighted_average", class_object(&m->weighted_average));
    return end(&report);
}

static json_t *intervals_object(const tool_evaluation *e)
{
    builder object = begin();
    set_number(&object, "level", 0.95);
    set(&object, "drawn", json_string(e->group ? "groups" : "images"));
    set_count(&object, "n_drawn", e->intervals.n_units);
    set_count(&object, "n_resamples", e->intervals.n_resamples);
    for (size_t i = 0; i < meso_n_metric_rows; i++) {
        meso_interval interval = meso_metric_interval(&meso_metric_rows[i], &e->intervals);
        set(&object, meso_metric_rows[i].key,
            json_pack("[oo]", meso_json_number(interval.low), meso_json_number(interval.high)));
    }
    return end(&object);
}

static json_t *group_object(const tool_evaluation *e, const meso_group_score *group)
{
    builder row = begin();
    set(&row, "group", meso_json_text(e->names.groups[group->group].name));
    set(&row, "label", json_string(class_names[group->real]));
    set_count(&row, "n", group->n_images);
    set_number(&row, "p_fake", group->p_fake);
    set_number(&row, "p_real", group->p_real);
    set(&row, "correct", json_boolean((group->p_real > e->threshold) == group->real));
    return end(&row);
}

/* null without groups. */
static json_t *groups_object(const tool_evaluation *e)
{
    const meso_metrics *m = &e->group_metrics;
    if (!e->group)
        return json_null();
    builder object = begin();
    json_t *scores = json_array();
    for (size_t i = 0; i < e->n_groups; i++)
        object.failed |= json_array_append_new(scores, group_object(e, &e->groups[i])) != 0;
    set_count(&object, "n", m->n);
    set_count(&object, "correct", m->correct);
    set_number(&object, "accuracy", m->accuracy);
    set_number(&object, "balanced_accuracy", m->balanced_accuracy);
    set_number(&object, "auc", m->auc);
    set(&object, "scores", scores);
    return end(&object);
}

static json_t *refused_array(const tool_evaluation *e)
{
    json_t *refused = json_array();
    for (size_t i = 0; i < e->dataset->n_items; i++) {
        const tool_evaluated *file = &e->files[i];
        if (file->refusal == MESO_IMAGE_OK)
            continue;
        builder row = begin();
        row.failed |= report_json_set_file(row.object, e->dataset->items[i].path) != 0;
        set(&row, "error", json_string(meso_refusal_name(file->refusal)));
        set(&row, "detail", meso_json_text(file->detail));
        if (json_array_append_new(refused, end(&row)) != 0) {
            json_decref(refused);
            return NULL;
        }
    }
    return refused;
}

static void set_metrics(builder *b, const meso_metrics *metrics)
{
    for (size_t i = 0; i < meso_n_metric_rows; i++)
        set_number(b, meso_metric_rows[i].key, meso_metric_value(&meso_metric_rows[i], metrics));
}

static json_t *constant_object(const tool_evaluation *e)
{
    builder object = begin();
    set_number(&object, "p_real", (double)e->metrics.per_class[1].support / (double)e->metrics.n);
    set_metrics(&object, &e->constant);
    return end(&object);
}

void tool_evaluate_json(const tool_evaluation *e, const report_provenance *provenance,
                        meso_text *out)
{
    builder document = begin();
    set(&document, "schema", json_string(schema));
    set_count(&document, "n", e->tally.n_scored);
    set_count(&document, "n_refused", e->tally.n_refused);
    set_count(&document, "n_suspect", e->tally.n_suspect);
    set_count(&document, "n_exif_turned", e->tally.n_turned);
    set_count(&document, "n_unreadable_folders", e->dataset->n_unreadable);
    set_count(&document, "correct", e->metrics.correct);
    set_number(&document, "threshold", e->threshold);
    set_metrics(&document, &e->metrics);
    set_number(&document, "eer_threshold", e->metrics.eer_threshold);
    set(&document, "confusion", confusion_object(&e->metrics));
    set(&document, "report", report_object(&e->metrics));
    set(&document, "constant", constant_object(e));
    set(&document, "groups", groups_object(e));
    set(&document, "intervals", intervals_object(e));
    set(&document, "refused", refused_array(e));
    set(&document, "provenance", report_provenance_json(provenance));
    if (e->times)
        set(&document, "timing", tool_times_json(e->times));
    json_t *json = end(&document);
    report_json_write(json, REPORT_JSON_INDENTED, out);
    json_decref(json);
}
