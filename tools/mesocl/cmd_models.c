/* SPDX-License-Identifier: Apache-2.0
 *
 * mesocl models: the weights that come with MesoCL.
 */

#include "base/error.h"
#include "commands.h"
#include "common.h"
#include "model/weights/weights.h"
#include "net/net.h"
#include "report/report_json.h"
#include "report/report_table.h"

static const char about[] =
    "Lists the weights that come with MesoCL, by the names that -w takes. Where a\n"
    "file is missing, this build has not got it.";

static const char examples[] = "mesocl models\n"
                               "mesocl predict -w mesoinception4 photos/";

static uint64_t count_parameters(const meso_net *net)
{
    uint64_t n = 0;
    for (size_t i = 0; i < meso_net_n_layers(net); i++) {
        meso_layer_info layer = MESO_INIT(meso_layer_info);
        meso_net_layer(net, i, &layer, NULL);
        n += layer.parameters;
    }
    return n;
}

static meso_status add_row(const meso_shipped_weights *shipped, report_table *table,
                           meso_error *error)
{
    meso_net *net = NULL;
    meso_text path = {0};
    MESO_CHECK(meso_net_open(shipped->name, &net, error));
    const char *file = meso_shipped_file(shipped, &path)                            ? path.bytes
                       : meso_weights_locate(shipped->name, &path, NULL) == MESO_OK ? "built in"
                                                                                    : "missing";
    REPORT_ROW(table, shipped->name, meso_net_name(net), count_parameters(net), shipped->licence,
               shipped->origin, file);
    meso_net_close(net);
    meso_text_free(&path);
    return MESO_OK;
}

int cmd_models(int argc, char **argv)
{
    int json = 0;
    const tool_option options[] = {OPT_JSON(json), OPT_END};
    const tool_command_line line = {"models", "[--json]", about, options, examples, 0, 0};
    meso_text out = {0};
    meso_error error = {0};
    int end = tool_options_parse(&line, &argc, argv);
    if (end >= 0)
        return end;
    REPORT_TABLE(table, COLUMN_TEXT("name", "name"), COLUMN_TEXT("net", "net"),
                 COLUMN_COUNT("parameters", "parameters"), COLUMN_TEXT("licence", "licence"),
                 COLUMN_TEXT("origin", "origin"), COLUMN_TEXT("file", "file"));
    for (const meso_shipped_weights *row = meso_shipped; row->name && !error.status; row++)
        add_row(row, &table, &error);
    if (json)
        report_json_put(json_pack("{s:i s:o}", "schema", 1, "models", report_table_json(&table)),
                        &out);
    else
        report_table_text(&table, &out);
    report_table_free(&table);
    end = error.status ? tool_fail(&error) : tool_print(&out);
    return end;
}
