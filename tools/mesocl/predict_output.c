/* SPDX-License-Identifier: Apache-2.0 */
#include "predict_output.h"

#include <stdio.h>
#include <unistd.h>

#include "base/csv_field.h"
#include "common.h"
#include "data/list/passed.h"
#include "report/report_json.h"
#include "report/report_number.h"

static const char schema[] = "mesocl.predict/1";

static const char *label_of(const tool_predict_output *output, meso_probability p)
{
    return meso_is_real(p.real, output->threshold) ? "real" : "fake";
}

/* Prints and frees the text; status is that of making it. */
static meso_status print(meso_text *text)
{
    meso_status status = text->out_of_memory ? MESO_ERROR_MEMORY : MESO_OK;
    if (status == MESO_OK && text->length > 0) {
        fwrite(text->bytes, 1, text->length, stdout);
        status = tool_stdout_error() == 0 ? MESO_OK : MESO_ERROR_IO;
    }
    meso_text_free(text);
    return status;
}

/* Appends a JSON value on one line and lets go of it; NULL is a failed allocation. */
static void add_json(json_t *value, meso_text *text)
{
    report_json_write(value, REPORT_JSON_LINE, text);
    json_decref(value);
}

static void text_row(const tool_predict_output *output, const meso_file_score *score,
                     meso_text *text)
{
    char fake[REPORT_NUMBER_SIZE], real[REPORT_NUMBER_SIZE];
    if (score->refusal != MESO_IMAGE_OK)
        return; /* stands on stderr */
    meso_text_format(text, "%s  %s  %s  ", label_of(output, score->p),
                     report_fixed(score->p.fake, 6, fake), report_fixed(score->p.real, 6, real));
    meso_text_add_printable(text, score->path);
    meso_text_add(text, "\n");
}

static void csv_row(const tool_predict_output *output, const meso_file_score *score,
                    meso_text *text)
{
    char fake[REPORT_NUMBER_SIZE], real[REPORT_NUMBER_SIZE];
    meso_csv_field(score->path, text);
    if (score->refusal == MESO_IMAGE_OK) {
        meso_text_format(text, ",%s,%s,%s,,", label_of(output, score->p),
                         report_exact(score->p.fake, fake), report_exact(score->p.real, real));
    } else {
        meso_text_format(text, ",,,,%s,", meso_refusal_name(score->refusal));
        meso_csv_field(score->detail, text);
    }
    if (output->scoring->team)
        meso_text_format(text, ",%s", tool_scoring_device_of(output->scoring, score->index));
    meso_text_add(text, MESO_CSV_END);
}

static void json_row(const tool_predict_output *output, const meso_file_score *score,
                     meso_text *text)
{
    meso_builder row = meso_build_object();
    report_build_file(&row, score->path);
    if (score->refusal == MESO_IMAGE_OK) {
        meso_build_text(&row, "label", label_of(output, score->p));
        meso_build_number(&row, "p_fake", score->p.fake);
        meso_build_number(&row, "p_real", score->p.real);
    } else {
        meso_build_text(&row, "error", meso_refusal_name(score->refusal));
        meso_build_text(&row, "detail", score->detail);
    }
    if (output->scoring->team)
        meso_build_text(&row, "device", tool_scoring_device_of(output->scoring, score->index));
    add_json(meso_build_end(&row), text);
}

static void json_begin(const report_provenance *provenance, double threshold, meso_text *text)
{
    meso_text_format(text, "{\"schema\": \"%s\",\n\"provenance\": ", schema);
    add_json(report_provenance_json(provenance), text);
    meso_text_add(text, ",\n\"threshold\": ");
    add_json(json_real(threshold), text);
    meso_text_add(text, ",\n\"images\": [");
}

/* For people at a terminal: whatever reads rows from a pipe gets rows alone. */
static void text_begin(const tool_predict_output *output, const report_provenance *provenance,
                       meso_text *text)
{
    if (!isatty(STDOUT_FILENO))
        return;
    meso_text_format(text, "model %s (%s), device %s\nlabel P(fake)   P(real)   %s\n",
                     provenance->net, provenance->weights, provenance->device,
                     output->of_groups ? "images  recording" : "file");
}

meso_status tool_predict_output_begin(const tool_predict_output *output,
                                      const report_provenance *provenance)
{
    meso_text text = {0};
    if (output->format == TOOL_PREDICT_JSON)
        json_begin(provenance, output->threshold, &text);
    else if (output->format == TOOL_PREDICT_CSV)
        meso_text_format(&text, "%s%s" MESO_CSV_END,
                         output->of_groups ? "group,label,p_fake,p_real,n"
                                           : "file,label,p_fake,p_real,error,detail",
                         output->scoring->team && !output->of_groups ? ",device" : "");
    else if (output->format == TOOL_PREDICT_TEXT)
        text_begin(output, provenance, &text);
    return print(&text);
}

meso_status tool_predict_output_row(tool_predict_output *output, const meso_file_score *score)
{
    meso_text text = {0};
    int first = output->n_ok + output->n_refused == 0;
    if (score->refusal == MESO_IMAGE_OK)
        output->n_ok++;
    else
        output->n_refused++;
    if (output->of_groups && output->format != TOOL_PREDICT_JSON)
        return MESO_OK;
    switch (output->format) {
    case TOOL_PREDICT_TEXT:
        text_row(output, score, &text);
        break;
    case TOOL_PREDICT_CSV:
        csv_row(output, score, &text);
        break;
    case TOOL_PREDICT_JSON:
        meso_text_add(&text, first ? "\n" : ",\n");
        json_row(output, score, &text);
        break;
    case TOOL_PREDICT_JSONL:
        json_row(output, score, &text);
        meso_text_add(&text, "\n");
        break;
    }
    return print(&text);
}

static void json_group(const tool_predict_output *output, const tool_predict_group *group,
                       meso_text *text)
{
    meso_builder row = meso_build_object();
    meso_build_text(&row, "group", group->name);
    meso_build_text(&row, "label", label_of(output, group->p));
    meso_build_number(&row, "p_fake", group->p.fake);
    meso_build_number(&row, "p_real", group->p.real);
    meso_build_count(&row, "n", group->n);
    add_json(meso_build_end(&row), text);
}

meso_status tool_predict_output_group(tool_predict_output *output, const tool_predict_group *group)
{
    meso_text text = {0};
    char fake[REPORT_NUMBER_SIZE], real[REPORT_NUMBER_SIZE];
    switch (output->format) {
    case TOOL_PREDICT_TEXT:
        meso_text_format(&text, "%s  %s  %s  %6zu  ", label_of(output, group->p),
                         report_fixed(group->p.fake, 6, fake), report_fixed(group->p.real, 6, real),
                         group->n);
        meso_text_add_printable(&text, group->name);
        meso_text_add(&text, "\n");
        break;
    case TOOL_PREDICT_CSV:
        meso_csv_field(group->name, &text);
        meso_text_format(&text, ",%s,%s,%s,%zu" MESO_CSV_END, label_of(output, group->p),
                         report_exact(group->p.fake, fake), report_exact(group->p.real, real),
                         group->n);
        break;
    case TOOL_PREDICT_JSON:
        meso_text_add(&text, output->n_groups ? ",\n" : "\n],\n\"groups\": [\n");
        json_group(output, group, &text);
        break;
    case TOOL_PREDICT_JSONL:
        json_group(output, group, &text);
        meso_text_add(&text, "\n");
        break;
    }
    output->n_groups++;
    return print(&text);
}

meso_status tool_predict_output_end(const tool_predict_output *output, const meso_dataset *files,
                                    const char *error, const tool_time *times)
{
    meso_text text = {0};
    if (output->format != TOOL_PREDICT_JSON)
        return MESO_OK;
    meso_text_format(&text,
                     "\n],\n\"n_ok\": %zu,\n\"n_refused\": %zu,\n\"n_fake\": %zu,\n\"n_real\": "
                     "%zu,\n\"passed_over\": ",
                     output->n_ok, output->n_refused, output->n_called[0], output->n_called[1]);
    add_json(meso_passed_json(files), &text);
    if (error) {
        meso_text_add(&text, ",\n\"error\": ");
        add_json(meso_json_text(error), &text);
    }
    if (times) {
        meso_text_add(&text, ",\n\"timing\": ");
        add_json(tool_times_json(times), &text);
    }
    meso_text_add(&text, "\n}\n");
    return print(&text);
}
