/* SPDX-License-Identifier: Apache-2.0 */
#include "facts_report.h"

#include "data/list/labels.h"
#include "data/list/passed.h"

/* Means or deviations of the properties first … end − 1. */
static void tell_moments(report_writer *writer, const char *caption, const study_facts *facts,
                         int first, int end, int deviation)
{
    report_column columns[3 + STUDY_N_PROPERTIES] = {COLUMN_TEXT("dataset", "dataset"),
                                                     COLUMN_TEXT("class", "class"),
                                                     COLUMN_COUNT("images", "images")};
    report_table table = {.columns = columns, .n_columns = 3};
    for (int p = first; p < end; p++)
        columns[table.n_columns++] = (report_column)COLUMN_NUMBER(
            study_properties[p].key, study_properties[p].title, study_properties[p].digits);
    for (size_t i = 0; i < 2 * facts->n_sets; i++) {
        const study_set_facts *set = &facts->sets[i / 2];
        const double *moment = deviation ? set->deviation[i % 2] : set->mean[i % 2];
        REPORT_ROW(&table, set->name, meso_label_name(i % 2), set->n_usable[i % 2]);
        for (int p = first; p < end; p++)
            REPORT_ROW(&table, moment[p]);
    }
    report_writer_table(writer, caption, &table);
}

void db_tell_properties(report_writer *writer, const study_facts *facts, int published_only)
{
    report_writer_paragraph(
        writer, "The published study's, of each picture at its own size, then over the pictures: "
                "mean red, green and blue (0 to 255), local contrast in 5×5 of CIE L (percent), "
                "brightness (0 to 255), entropy of all values (bits).");
    tell_moments(writer, "Means", facts, 0, STUDY_N_PUBLISHED, 0);
    tell_moments(writer, "Standard deviations", facts, 0, STUDY_N_PUBLISHED, 1);
    if (published_only)
        return;
    tell_moments(writer, "Means, pixels", facts, STUDY_N_PUBLISHED, STUDY_WIDTH, 0);
    tell_moments(writer, "Standard deviations, pixels", facts, STUDY_N_PUBLISHED, STUDY_WIDTH, 1);
    tell_moments(writer, "Means, files", facts, STUDY_WIDTH, STUDY_N_PROPERTIES, 0);
    tell_moments(writer, "Standard deviations, files", facts, STUDY_WIDTH, STUDY_N_PROPERTIES, 1);
}

void db_tell_passed(report_writer *writer, const study_facts *facts)
{
    meso_text text = {0};
    for (size_t d = 0, n = 0; d < facts->n_checked; d++) {
        meso_passed_say_json(facts->sets[d].passed_over, &text);
        if (text.length > 0 && n++ == 0)
            report_writer_section(writer, "Passed over");
        if (text.length > 0)
            report_writer_paragraph(writer, "%s: %s", facts->sets[d].name, text.bytes);
        writer->out.out_of_memory |= text.out_of_memory;
        text.length = 0;
    }
    meso_text_free(&text);
}

void db_tell_counts(report_writer *writer, const study_facts *facts)
{
    REPORT_TABLE(table, COLUMN_TEXT("dataset", "dataset"), COLUMN_COUNT("fake", "fake"),
                 COLUMN_COUNT("real", "real"), COLUMN_COUNT("refused", "refused"),
                 COLUMN_COUNT("same_file", "same file"), COLUMN_COUNT("same_pixels", "same pixels"),
                 COLUMN_COUNT("near", "near"), COLUMN_COUNT("conflicts", "label conflicts"),
                 COLUMN_COUNT("recordings", "recordings"),
                 COLUMN_COUNT("in_both", "in both classes"));
    for (size_t s = 0; s < facts->n_checked; s++) {
        const study_set_facts *set = &facts->sets[s];
        const size_t *n = set->n_duplicates;
        REPORT_ROW(&table, set->name, set->n_usable[MESO_FAKE], set->n_usable[MESO_REAL],
                   set->n_unusable, n[STUDY_SAME_FILE], n[STUDY_SAME_PIXELS], n[STUDY_NEAR],
                   set->n_conflicts + set->n_near_conflicts, set->recordings.n,
                   set->recordings.n_in_both);
    }
    report_writer_table(writer, "Images, pairs of duplicates inside a dataset, recordings", &table);
}

void db_tell_shortcuts(report_writer *writer, const study_facts *facts, size_t most)
{
    REPORT_TABLE(table, COLUMN_TEXT("dataset", "dataset"), COLUMN_TEXT("property", "property"),
                 COLUMN_NUMBER("auc", "AUC", 3), COLUMN_NUMBER("low", "95 % from", 3),
                 COLUMN_NUMBER("high", "to", 3), COLUMN_TEXT("higher_in", "higher in"),
                 COLUMN_TEXT("warning", "warning"));
    REPORT_TABLE(views, COLUMN_TEXT("dataset", "dataset"), COLUMN_TEXT("view", "input"),
                 COLUMN_NUMBER("auc", "AUC", 3), COLUMN_NUMBER("low", "95 % from", 3),
                 COLUMN_NUMBER("high", "to", 3), COLUMN_TEXT("warning", "warning"));
    report_writer_paragraph(writer,
                            "How well the label can be predicted without the face, by AUC; a "
                            "warning where the whole interval lies above %.1f.",
                            STUDY_SHORTCUT_AUC);
    for (size_t d = 0; d < facts->n_checked; d++) {
        const study_set_facts *set = &facts->sets[d];
        for (size_t i = 0; i < set->n_shortcuts && i < most; i++) {
            const study_shortcut *c = &set->shortcuts[i];
            REPORT_ROW(&table, set->name, study_properties[c->property].title, c->auc,
                       c->interval.low, c->interval.high, meso_label_name(c->real_is_higher),
                       c->warn ? "yes" : "");
        }
        for (int v = 0; v < STUDY_N_VIEWS; v++) {
            const meso_interval interval = set->view_interval[v];
            REPORT_ROW(&views, set->name, study_views[v].title, set->view_auc[v], interval.low,
                       interval.high, study_is_shortcut(interval) ? "yes" : "");
        }
    }
    report_writer_table(writer, "Single properties", &table);
    report_writer_table(writer, "Linear classifiers, 5-fold cross-validation", &views);
}

report_table db_pairs_table(void)
{
    REPORT_TABLE(table, COLUMN_TEXT("kind", "kind"), COLUMN_TEXT("dataset_a", "dataset"),
                 COLUMN_TEXT("file_a", "file"), COLUMN_TEXT("class_a", "class"),
                 COLUMN_TEXT("dataset_b", "and in"), COLUMN_TEXT("file_b", "file"),
                 COLUMN_TEXT("class_b", "class"), COLUMN_COUNT("mirrored", "mirrored"),
                 COLUMN_NUMBER("distance", "grey levels apart", 2));
    return table;
}

void db_add_pairs(report_table *table, db_side a, db_side b, const study_pairs *pairs, size_t most)
{
    size_t shown[STUDY_N_PAIR_KINDS] = {0};
    for (size_t i = 0; i < pairs->n; i++) {
        const study_pair *p = &pairs->pairs[i];
        const meso_dataset_item *x = &a.files->items[p->a], *y = &b.files->items[p->b];
        if (shown[p->kind]++ < most)
            REPORT_ROW(table, study_pair_kind_name(p->kind), a.name, x->path,
                       meso_label_name(x->label), b.name, y->path, meso_label_name(y->label),
                       p->mirrored != 0, p->distance);
    }
}

json_t *db_kinds_json(const size_t n[STUDY_N_PAIR_KINDS], size_t n_kinds)
{
    meso_builder object = meso_build_object();
    for (size_t k = 0; k < n_kinds; k++)
        meso_build_count(&object, study_pair_kind_name((study_pair_kind)k), n[k]);
    return meso_build_end(&object);
}

json_t *db_findings_json(const study_facts *facts, const study_findings *findings)
{
    meso_builder list = meso_build_list();
    for (size_t i = 0; i < findings->n; i++) {
        const study_finding *f = &findings->rows[i];
        meso_builder row = meso_build_object();
        meso_text text = {0};
        study_finding_say(f, &text);
        meso_build_text(&row, "kind", study_finding_name(f->kind));
        meso_build_text(&row, "dataset", facts->sets[f->set].name);
        if (f->other != STUDY_NO_SET)
            meso_build_text(&row, "other", facts->sets[f->other].name);
        meso_build_set(&row, "text", text.out_of_memory ? NULL : json_string(text.bytes));
        meso_build_add(&list, meso_build_end(&row));
        meso_text_free(&text);
    }
    return meso_build_end(&list);
}
