/* SPDX-License-Identifier: Apache-2.0
 *
 * mesocl inspect: the layers of a weight file or a net, with shapes, parameters, multiply-adds,
 * memory.
 */
#include <jansson.h>
#include <stdio.h>

#include "base/error.h"
#include "base/text.h"
#include "commands.h"
#include "common.h"
#include "model/weights/weights.h"
#include "report/report_json.h"
#include "report/report_table.h"

/* What is inspected: a net, and the weights it came with or NULL. */
typedef struct subject {
    meso_net *net;
    meso_weights *weights;
} subject;

static const char *const metadata_keys[] = {"mesocl.classes", "mesocl.normalization",
                                            "mesocl.source", "mesocl.source_sha256",
                                            "mesocl.program"};

/* A built-in net, a .net file, or weights with their net, told by the first bytes. */
static meso_status open_subject(const char *name, subject *s, meso_error *error)
{
    if (!meso_names_weights(name))
        return meso_net_open(name, &s->net, error);
    MESO_CHECK(meso_weights_read(name, &s->weights, error));
    MESO_CHECK(meso_weights_net(s->weights, name, &s->net, error));
    return meso_weights_check(s->weights, s->net, error);
}

/* A row for each layer; the sums come back in total. */
static report_table layer_table(const meso_net *net, meso_layer_info *total)
{
    REPORT_TABLE(table, COLUMN_TEXT("layer", "layer"), COLUMN_TEXT("op", "op"),
                 COLUMN_COUNT("channels", "channels"), COLUMN_COUNT("height", "height"),
                 COLUMN_COUNT("width", "width"), COLUMN_COUNT("parameters", "parameters"),
                 COLUMN_COUNT("statistics", "statistics"),
                 COLUMN_COUNT("multiply_adds", "multiply-adds"),
                 COLUMN_COUNT("output_bytes", "output bytes"));
    *total = (meso_layer_info){0};
    for (size_t i = 0; i < meso_net_n_layers(net); i++) {
        meso_layer_info layer = MESO_INIT(meso_layer_info);
        meso_net_layer(net, i, &layer, NULL);
        REPORT_ROW(&table, layer.name, layer.op, layer.channels, layer.height, layer.width,
                   layer.parameters, layer.statistics, layer.multiply_adds, layer.output_bytes);
        total->parameters += layer.parameters;
        total->statistics += layer.statistics;
        total->multiply_adds += layer.multiply_adds;
    }
    return table;
}

static void add_people(const subject *s, const report_table *table, const meso_layer_info *total,
                       uint64_t batch, meso_text *out)
{
    meso_text_format(out, "net %s, %zu layers\n", meso_net_name(s->net), meso_net_n_layers(s->net));
    for (size_t i = 0; s->weights && i < sizeof metadata_keys / sizeof metadata_keys[0]; i++) {
        const char *value = meso_weights_get(s->weights, metadata_keys[i]);
        if (value)
            meso_text_format(out, "%s: %s\n", metadata_keys[i] + sizeof "mesocl." - 1,
                             MESO_PRINTABLE(value));
    }
    if (s->weights)
        meso_text_format(out, "weights XXH3-128: %s\n", meso_weights_hash(s->weights));
    meso_text_add(out, "\n");
    report_table_text(table, out);
    meso_text_format(out,
                     "\n%llu trained parameters, %llu moving statistics (%.1f KiB of weights)\n"
                     "%.2f million multiply-adds an image\n"
                     "%.1f MiB of activations for a batch of %llu on the plain path\n",
                     (unsigned long long)total->parameters, (unsigned long long)total->statistics,
                     (double)(total->parameters + total->statistics) * sizeof(float) / 1024,
                     (double)total->multiply_adds * 1e-6,
                     (double)meso_net_activation_bytes(s->net, (size_t)batch) / (1 << 20),
                     (unsigned long long)batch);
}

static json_t *document_of(const subject *s, const report_table *table,
                           const meso_layer_info *total, uint64_t batch)
{
    json_t *metadata = json_object();
    for (size_t i = 0; s->weights && i < sizeof metadata_keys / sizeof metadata_keys[0]; i++) {
        const char *value = meso_weights_get(s->weights, metadata_keys[i]);
        if (value)
            json_object_set_new(metadata, metadata_keys[i], meso_json_text(value));
    }
    return json_pack(
        "{s:i s:s s:I s:I s:I s:I s:I s:s* s:o s:o}", "schema", 1, "net", meso_net_name(s->net),
        "parameters", (json_int_t)total->parameters, "statistics", (json_int_t)total->statistics,
        "multiply_adds", (json_int_t)total->multiply_adds, "batch", (json_int_t)batch,
        "activation_bytes", (json_int_t)meso_net_activation_bytes(s->net, (size_t)batch),
        "weights_hash", s->weights ? meso_weights_hash(s->weights) : NULL, "metadata", metadata,
        "layers", report_table_json(table));
}

static int print_subject(const subject *s, uint64_t batch, int json)
{
    meso_text out = {0};
    meso_layer_info total = {0};
    report_table table = layer_table(s->net, &total);
    if (json)
        report_json_put(document_of(s, &table, &total, batch), &out);
    else
        add_people(s, &table, &total, batch, &out);
    report_table_free(&table);
    return tool_print(&out);
}

static const char about[] =
    "Shows the layers of a model or of a net: shapes, parameters, multiply-adds,\n"
    "memory. MODEL is a model file or the folder of a run (its best weights).";

static const char examples[] = "mesocl inspect meso4_df.safetensors\n"
                               "mesocl inspect mesoinception4 --json\n"
                               "mesocl inspect meso4 --text > mine.net";

int cmd_inspect(int argc, char **argv)
{
    uint64_t batch = 8;
    int json = 0, text = 0;
    const tool_option options[] = {
        OPT_COUNT("batch", 'b', batch, "N", 1, 65536,
                  "images at once, for the memory of activations; default 8"),
        OPT_FLAG("text", 0, text, "print the net's text alone"), OPT_JSON(json), OPT_END};
    const tool_command_line line = {
        "inspect", "[options] MODEL|NET|FILE.net", about, options, examples, 1, 1};
    subject s = {NULL, NULL};
    meso_error error;
    int end = tool_options_parse(&line, &argc, argv);
    if (end >= 0)
        return end;
    if (open_subject(argv[0], &s, &error) != MESO_OK)
        end = tool_fail(&error);
    else if (text)
        end = fputs(meso_net_text(s.net), stdout) < 0 ? 74 : 0;
    else
        end = print_subject(&s, batch, json);
    meso_net_close(s.net);
    meso_weights_close(s.weights);
    return end;
}
