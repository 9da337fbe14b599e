/* SPDX-License-Identifier: Apache-2.0 */
#include "dataset_inputs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "drivers.h"
#include "outputs.h"
#include "study/scan/study_scan.h"

/* The folder of the option, else that of the environment; leaves text empty for none. */
static void find_cache(const db_inputs *inputs, meso_text *folder)
{
    static const struct {
        const char *variable, *below;
    } places[] = {
        {"MESO_CACHE_DIR", ""}, {"XDG_CACHE_HOME", "/mesocl"}, {"HOME", "/.cache/mesocl"}};
    if (inputs->no_cache)
        return;
    if (inputs->cache) {
        meso_text_add(folder, inputs->cache);
        return;
    }
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        const char *value = getenv(places[i].variable);
        if (value && *value) {
            meso_text_format(folder, "%s%s", value, places[i].below);
            return;
        }
    }
}

static void tell_refusals(const study_dataset *dataset)
{
    size_t n = 0;
    for (size_t i = 0; i < dataset->files.n_items; i++) {
        const study_image *image = &dataset->images[i];
        meso_text path = {0};
        if (image->refusal == MESO_IMAGE_OK)
            continue;
        meso_text_add_printable(&path, dataset->files.items[i].path);
        fprintf(stderr, "refused: %s: %s: %s\n", path.out_of_memory ? "" : path.bytes,
                meso_refusal_name((meso_refusal)image->refusal), image->detail);
        meso_text_free(&path);
        n++;
    }
    fprintf(stderr, "%s: %s: %zu images, %zu refused; %zu files read, %zu from the cache\n",
            tool_program_name, MESO_PRINTABLE(dataset->name), dataset->files.n_items - n, n,
            dataset->n_read, dataset->files.n_items - dataset->n_read);
    tool_tell_passed(dataset->name, &dataset->files);
}

static meso_status list_files(const db_inputs *inputs, const char *path, meso_dataset *files,
                              meso_error *error)
{
    meso_dataset_options options = inputs->files;
    int drawn = inputs->draw != DB_NOT_DRAWN;
    options.manifest = NULL; /* it is a path of its own */
    options.max_per_class = drawn ? 0 : (size_t)inputs->sample;
    meso_status status = meso_dataset_open(path, &options, files, error);
    if (status == MESO_OK && drawn && inputs->sample > 0)
        study_sample(files, (size_t)inputs->sample, inputs->draw);
    return status == MESO_OK ? tool_outputs_spare(files, error) : status;
}

static meso_status check_name(const db_inputs *inputs, const char *name, const char *path,
                              meso_error *error)
{
    for (size_t i = 0; i < inputs->n; i++)
        MESO_DEMAND(strcmp(inputs->datasets[i].name, name) != 0, error, MESO_ERROR_DATA,
                    "%s and %s are both called \"%s\": name one of them, as in OTHER=%s",
                    MESO_PRINTABLE(inputs->datasets[i].path), MESO_PRINTABLE(path),
                    MESO_PRINTABLE(name), MESO_PRINTABLE(path));
    return MESO_OK;
}

/* Steps back over one part of a path and the slashes before it. */
static size_t part_before(const char *path, size_t end)
{
    while (end > 0 && path[end - 1] != '/')
        end--;
    return end;
}

static size_t without_slashes(const char *path, size_t end)
{
    while (end > 0 && path[end - 1] == '/')
        end--;
    return end;
}

/* Of an operand, DIR or NAME=DIR where the report shall call it otherwise. Appends the name: what
 * is in front of "=", if it holds no "/" and nothing bears the whole for its name, else the last
 * two parts of the path ("openforensics/Train"). Returns the path, a part of the operand. */
static const char *source_name(const char *operand, meso_text *name)
{
    size_t n = strcspn(operand, "=/");
    if (operand[n] == '=' && n > 0 && access(operand, F_OK) != 0) {
        meso_text_add_n(name, operand, n);
        return operand + n + 1;
    }
    size_t end = without_slashes(operand, strlen(operand));
    size_t begin = part_before(operand, end);
    begin = part_before(operand, without_slashes(operand, begin));
    if (end == begin) /* "/", or nothing */
        meso_text_add(name, operand);
    else
        meso_text_add_n(name, operand + begin, end - begin);
    return operand;
}

static meso_status scan_one(db_inputs *inputs, const char *operand, const char *cache,
                            meso_error *error)
{
    meso_status status = MESO_OK;
    meso_text name = {0};
    meso_dataset files = MESO_INIT(meso_dataset);
    tool_progress progress = {0};
    const study_scan_options options = {.device = inputs->device,
                                        .n_threads = (size_t)inputs->threads,
                                        .max_pixels = inputs->max_pixels,
                                        .published_only = inputs->published_only,
                                        .cache = cache,
                                        .progress = tool_progress_show,
                                        .user = &progress};
    const char *path = source_name(operand, &name);
    MESO_REQUIRE_MEMORY(!name.out_of_memory, error);
    MESO_TRY(check_name(inputs, name.bytes, path, error));
    MESO_TRY(list_files(inputs, path, &files, error));
    progress = (tool_progress){.what = "images", .subject = name.bytes, .total = files.n_items};
    tool_progress_start(&progress);
    status = study_scan(name.bytes, path, &files, &options, &inputs->datasets[inputs->n], error);
    tool_progress_end(&progress);
    MESO_TRY(status);
    tell_refusals(&inputs->datasets[inputs->n++]);
out:
    meso_text_free(&name);
    return status;
}

meso_status db_inputs_scan(db_inputs *inputs, char *const *operands, size_t n_operands,
                           meso_error *error)
{
    meso_status status = MESO_OK;
    meso_text cache = {0};
    find_cache(inputs, &cache);
    MESO_REQUIRE_MEMORY(!cache.out_of_memory, error);
    inputs->datasets = calloc(n_operands + 1, sizeof *inputs->datasets);
    MESO_REQUIRE_MEMORY(inputs->datasets, error);
    MESO_TRY(tool_open_device(inputs->device_name, &inputs->device, error));
    tool_interrupt_catch();
    for (size_t i = 0; i < n_operands; i++)
        MESO_TRY(scan_one(inputs, operands[i], cache.bytes, error));
    if (inputs->files.manifest)
        MESO_TRY(scan_one(inputs, inputs->files.manifest, cache.bytes, error));
out:
    meso_text_free(&cache);
    return status;
}

void db_inputs_free(db_inputs *inputs)
{
    for (size_t i = 0; i < inputs->n; i++)
        study_dataset_free(&inputs->datasets[i]);
    free(inputs->datasets);
    meso_device_close(inputs->device);
}

report_provenance db_inputs_provenance(const db_inputs *inputs)
{
    const meso_device_info *info = meso_device_get_info(inputs->device);
    return (report_provenance){.device = info->name,
                               .driver = info->driver,
                               .platform = info->platform_name,
                               .decoders = meso_image_decoders(),
                               .command = tool_command()};
}
