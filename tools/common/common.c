/* SPDX-License-Identifier: Apache-2.0 */
#include "common.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "data/list/passed.h"
#include "drivers.h"
#include "model/model.h"
#include "model/weights/weights.h"
#include "report/report_json.h"
#include "report/report_writer.h"
#include "runtime/device_list.h"
#include "score_team.h"

int tool_fail(const meso_error *error)
{
    fprintf(stderr, "%s: %s\n", tool_program_name,
            error->text[0] ? error->text : meso_status_name(error->status));
    return meso_status_exit_code(error->status);
}

void tool_tell_passed(const char *subject, const meso_dataset *files)
{
    meso_text passed = {0}, start = {0};
    meso_text_format(&start, "%s: ", tool_program_name);
    if (subject)
        meso_text_format(&start, "%s: ", MESO_PRINTABLE(subject));
    const char *layout = meso_layout_name(files->layout);
    if (layout && !start.out_of_memory)
        fprintf(stderr, "%slaid out as %s\n", start.bytes, layout);
    meso_passed_say(files, &passed);
    if (files->n_unreadable && !start.out_of_memory)
        fprintf(stderr, "%s%zu folders could not be read, the first: %s\n", start.bytes,
                files->n_unreadable, files->unreadable);
    if (passed.length > 0 && !start.out_of_memory && !passed.out_of_memory)
        fprintf(stderr, "%spassed over: %s\n", start.bytes, passed.bytes);
    meso_text_free(&start);
    meso_text_free(&passed);
}

int tool_print(meso_text *text)
{
    meso_error error = {0};
    return report_put(text, NULL, &error) == MESO_OK ? 0 : tool_fail(&error);
}

/* What is opened, and named in reports, is the file that was meant. */
static meso_status locate(tool_scoring *scoring, meso_error *error)
{
    meso_text path = {0};
    meso_status status = meso_weights_locate(scoring->weights, &path, error);
    if (status == MESO_OK && path.length >= sizeof scoring->file)
        status = meso_fail(error, MESO_ERROR_ARGUMENT, "%s: a path that is too long",
                           MESO_PRINTABLE(scoring->weights));
    if (status == MESO_OK) {
        snprintf(scoring->file, sizeof scoring->file, "%s", path.length ? path.bytes : "");
        scoring->weights = path.length ? scoring->file : NULL;
    }
    meso_text_free(&path);
    return status;
}

meso_status tool_scoring_open_one(tool_scoring *scoring, meso_device **device, meso_model **model,
                                  meso_error *error)
{
    meso_model_options options = MESO_INIT(meso_model_options);
    options.net = scoring->net;
    options.max_batch = (size_t)scoring->batch;
    options.path = scoring->path;
    scoring->started = meso_seconds();
    MESO_CHECK(tool_open_device(scoring->device, device, error));
    double opened = meso_seconds();
    MESO_CHECK(locate(scoring, error));
    MESO_CHECK(meso_model_open(*device, scoring->weights, &options, model, error));
    scoring->open_model_seconds = meso_seconds() - opened;
    return MESO_OK;
}

static meso_status open_team(tool_scoring *scoring, meso_error *error)
{
    scoring->started = meso_seconds();
    MESO_CHECK(locate(scoring, error));
    return tool_team_open(scoring, &scoring->team, error);
}

int tool_scoring_open(tool_scoring *scoring, meso_device **device, meso_model **model)
{
    meso_error error = {0};
    const meso_status status = meso_device_is_list(scoring->device)
                                   ? open_team(scoring, &error)
                                   : tool_scoring_open_one(scoring, device, model, &error);
    return status == MESO_OK ? -1 : tool_fail(&error);
}

void tool_scoring_close(tool_scoring *scoring, meso_device *device, meso_model *model)
{
    tool_team_close(scoring->team);
    meso_model_close(model);
    meso_device_close(device);
}

meso_status tool_scoring_files(tool_scoring *scoring, meso_model *model, const char *const *paths,
                               const char *const *hashes, size_t n,
                               meso_file_score_callback callback, void *user, meso_error *error)
{
    meso_score_options options = tool_scoring_score_options(scoring);
    options.hashes = hashes;
    return scoring->team ? tool_team_score(scoring->team, paths, n, &options, callback, user, error)
                         : meso_score_files(model, paths, n, &options, callback, user, error);
}

const char *tool_scoring_device_of(const tool_scoring *scoring, size_t file)
{
    return scoring->team ? tool_team_device_of(scoring->team, file) : NULL;
}

const char *tool_scoring_data_hash(const tool_scoring *scoring, const meso_model *model)
{
    if (!scoring->team)
        return meso_weights_get(model->weights, "mesocl.train.data_hash");
    const char *hash = tool_team_get_model(scoring->team)->data_hash;
    return *hash ? hash : NULL;
}

/* What times and provenance need, of either. */
static tool_team_model describe(const tool_scoring *scoring, const meso_device *device,
                                const meso_model *model)
{
    tool_team_model about = {.open_model = scoring->open_model_seconds};
    if (scoring->team)
        return *tool_team_get_model(scoring->team);
    about.build = meso_model_get_info(model)->build_seconds;
    meso_device_open_seconds(device, &about.list_devices, &about.open_device);
    return about;
}

void tool_scoring_times(const tool_scoring *scoring, const meso_device *device,
                        const meso_model *model, tool_time times[TOOL_N_TIMES])
{
    const tool_team_model about = describe(scoring, device, model);
    const tool_time all[TOOL_N_TIMES] = {
        {"list_devices", about.list_devices},   {"open_device", about.open_device},
        {"open_model", about.open_model},       {"build", about.build},
        {"first_image", scoring->scored.first}, {"decode", scoring->scored.decode},
        {"compute", scoring->scored.compute},   {"total", meso_seconds() - scoring->started}};
    memcpy(times, all, sizeof all);
}

json_t *tool_times_json(const tool_time times[TOOL_N_TIMES])
{
    meso_builder object = meso_build_object();
    for (int i = 0; i < TOOL_N_TIMES; i++)
        meso_build_number(&object, times[i].name, times[i].seconds);
    return meso_build_end(&object);
}

void tool_print_times(const tool_time times[TOOL_N_TIMES])
{
    fprintf(stderr, "%s: seconds:", tool_program_name);
    for (int i = 0; i < TOOL_N_TIMES; i++)
        fprintf(stderr, "%s %s %.4f", i ? "," : "", times[i].name, times[i].seconds);
    fputc('\n', stderr);
}

report_provenance tool_scoring_provenance(const tool_scoring *scoring, const meso_device *device,
                                          const meso_model *model)
{
    report_provenance provenance = {.decoders = meso_image_decoders(),
                                    .resize = REPORT_RESIZE,
                                    .weights = scoring->weights ? scoring->weights : "built in",
                                    .command = tool_command()};
    if (scoring->team) {
        const tool_team_model *about = tool_team_get_model(scoring->team);
        provenance.device = tool_team_devices(scoring->team);
        provenance.driver = tool_team_drivers(scoring->team);
        provenance.platform = tool_team_platforms(scoring->team);
        provenance.net = about->net;
        provenance.clblast = about->clblast;
        provenance.weights_hash = about->weights_hash;
    } else {
        const meso_device_info *info = meso_device_get_info(device);
        const meso_model_info *about = meso_model_get_info(model);
        provenance.device = info->name;
        provenance.driver = info->driver;
        provenance.platform = info->platform_name;
        provenance.net = about->net_name;
        provenance.clblast = about->clblast;
        provenance.weights_hash = about->weights_hash;
    }
    return provenance;
}

meso_score_options tool_scoring_score_options(tool_scoring *scoring)
{
    meso_score_options options = MESO_INIT(meso_score_options);
    options.n_threads = (size_t)scoring->threads;
    options.batch = (size_t)scoring->batch;
    options.max_pixels = scoring->max_pixels;
    options.exif_orient = scoring->exif_orient;
    scoring->scored.struct_bytes = sizeof scoring->scored;
    options.timing = &scoring->scored;
    return options;
}

int tool_stdout_error(void)
{
    static int first; /* stdio forgets the reason, and what it could not write */
    errno = 0;
    if (!first && (fflush(stdout) != 0 || ferror(stdout)))
        first = errno ? errno : EIO;
    return first;
}
