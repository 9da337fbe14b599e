/* SPDX-License-Identifier: Apache-2.0
 *
 * mesocl faces: where the faces in pictures are.
 */
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "commands.h"
#include "common.h"
#include "data/list/passed.h"
#include "drivers.h"
#include "face/detector.h"
#include "faces_output.h"
#include "mesocl/image.h"
#include "model/weights/weights.h"
#include "outputs.h"
#include "report/report_writer.h"
#include "stdin_list.h"

static const char schema[] = "mesocl.faces/1";

typedef struct faces {
    const char *device, *csv;
    double min_face; /* 0: the usual one of each picture */
    uint64_t max_pixels;
    int json, nul_separated;
    face_detector *detector;
    meso_builder images;
    report_table table;
    tool_progress progress;
    size_t n_read, n_faces, n_empty, n_refused, n_unread;
} faces;

static const char about[] =
    "Finds the faces in pictures: for each a line with the detector's P, the box\n"
    "(x1 y1 x2 y2), five points (eye, eye, nose, corners of the mouth, the left in\n"
    "the picture first), in pixels, and the file. A picture without a face has a\n"
    "line with the reason no_face. Nothing else is written.\n"
    "\n"
    "Files, folders and \"-\" mean what they mean to predict. The detector is MTCNN;\n"
    "mesocl models --get faces fetches its weights.\n"
    "\n"
    "Exit code: 0 when at least one picture was read, with a face or without; 65\n"
    "when none could be used; 66 when there was nothing to read, or the detector's\n"
    "weights are not there; 130 after Ctrl-C, when what was found has been printed.";

static const char examples[] = "mesocl faces photo.jpg\n"
                               "mesocl faces --min-face 80 --csv faces.csv photos/\n"
                               "mesocl faces --json photo.jpg > faces.json";

static int parse(faces *f, int *argc, char **argv)
{
    const tool_option options[] = {
        OPT_REAL("min-face", 0, f->min_face, "PX", 12, 65535,
                 "the smallest face that is looked for, in pixels; default: 40, or an eighteenth "
                 "of the picture's short side where that is more"),
        OPT_DEVICE(f->device),
        OPT_COUNT("max-pixels", 0, f->max_pixels, "N", 1, 4294967296,
                  "refuse larger pictures (too_large); default 67108864"),
        OPT_JSON(f->json),
        OPT_REPORT("csv", 0, f->csv, "FILE",
                   "write one row per face: file, width, height, box, points, detector_p, reason"),
        OPT_FLAG("null", '0', f->nul_separated,
                 "the list on standard input is separated by NUL bytes, not by lines"),
        OPT_PROGRESS,
        OPT_END};
    const tool_command_line line = {
        "faces", "[options] FILE|FOLDER|-...", about, options, examples, 1, SIZE_MAX};
    return tool_options_parse(&line, argc, argv);
}

/* Finds the faces of one picture, or why it is refused. Errors: DEVICE, MEMORY. */
static meso_status find(faces *f, faces_picture *picture, meso_error *error)
{
    meso_status status = MESO_OK;
    meso_image image = MESO_INIT(meso_image);
    meso_image_options options = MESO_INIT(meso_image_options);
    meso_refusal refusal;
    meso_error refused = {0};
    options.max_pixels = f->max_pixels;
    if (meso_image_load(picture->path, &options, &image, &refusal, &refused) != MESO_OK) {
        MESO_REQUIRE(refusal != MESO_IMAGE_OK, error, refused.status, "%s", refused.text);
        tool_progress_clear(&f->progress);
        fprintf(stderr, "refused: %s\n", refused.text);
        picture->reason = meso_refusal_name(refusal);
        f->n_refused++;
        f->n_unread += refusal == MESO_IMAGE_VANISHED || refusal == MESO_IMAGE_PERMISSION;
        goto out;
    }
    picture->width = (int)image.width;
    picture->height = (int)image.height;
    const face_picture pixels = {image.rgb, picture->width, picture->height, picture->width};
    const double least =
        f->min_face > 0 ? f->min_face : face_usual_min(picture->width, picture->height);
    MESO_TRY(face_detect(f->detector, &pixels, 1, least, &picture->faces, error));
    f->n_read++;
    f->n_faces += picture->faces.n;
    f->n_empty += picture->faces.n == 0;
    picture->reason = picture->faces.n ? NULL : "no_face";
out:
    meso_image_free(&image);
    return status;
}

static meso_status take(faces *f, const char *path, meso_error *error)
{
    meso_status status = MESO_OK;
    faces_picture picture = {.path = path};
    meso_text line = {0};
    MESO_TRY(find(f, &picture, error));
    faces_add_rows(&picture, &f->table);
    if (f->json)
        meso_build_add(&f->images, faces_json(&picture));
    else
        faces_text(&picture, &line);
    if (line.length > 0 || line.out_of_memory)
        MESO_TRY(report_put(&line, NULL, error));
    MESO_REQUIRE(tool_stdout_error() == 0, error, MESO_ERROR_IO, "standard output is closed");
out:
    free(picture.faces.items);
    return status;
}

/* Every picture, until a failure or Ctrl-C. */
static meso_status take_all(faces *f, const meso_dataset *files, meso_error *error)
{
    meso_status status = MESO_OK;
    f->progress = (tool_progress){
        .what = "images", .total = files->n_items, .no_bar = isatty(STDOUT_FILENO) && !f->json};
    tool_progress_start(&f->progress);
    tool_interrupt_catch();
    for (size_t i = 0; i < files->n_items && status == MESO_OK; i++) {
        status = tool_interrupted() ? meso_fail(error, MESO_ERROR_CANCELLED, "stopped on request")
                                    : take(f, files->items[i].path, error);
        tool_progress_update(&f->progress, i + 1);
    }
    tool_progress_end(&f->progress);
    return status;
}

/* Of the file, in hexadecimal. */
static meso_status sha256_of(const char *path, char hex[65], meso_error *error)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned n_digest = 0;
    void *bytes = NULL;
    size_t n = 0;
    MESO_CHECK(meso_file_read(path, SIZE_MAX, &bytes, &n, NULL, error));
    OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
    const int done = EVP_Digest(bytes, n, digest, &n_digest, EVP_sha256(), NULL);
    free(bytes);
    MESO_DEMAND(done, error, MESO_ERROR_INTERNAL, "libcrypto has no SHA-256");
    for (unsigned i = 0; i < n_digest; i++)
        snprintf(hex + 2 * (size_t)i, 3, "%02x", digest[i]);
    return MESO_OK;
}

/* The JSON document, or nothing, and the CSV. */
static meso_status finish(faces *f, const meso_dataset *files, const meso_device *device,
                          meso_error *error)
{
    meso_status status = MESO_OK;
    const meso_device_info *info = meso_device_get_info(device);
    meso_text path = {0}, out = {0}, csv = {0};
    char sha256[65] = "";
    if (f->json) {
        meso_shipped_file(&meso_detector, &path);
        MESO_REQUIRE_MEMORY(!path.out_of_memory, error);
        MESO_TRY(sha256_of(path.bytes, sha256, error));
        const report_provenance provenance = {.device = info->name,
                                              .driver = info->driver,
                                              .platform = info->platform_name,
                                              .decoders = meso_image_decoders(),
                                              .net = meso_detector.name,
                                              .weights = path.bytes,
                                              .weights_sha256 = sha256,
                                              .command = tool_command()};
        meso_builder document = meso_build_object();
        meso_build_text(&document, "schema", schema);
        meso_build_set(&document, "provenance", report_provenance_json(&provenance));
        meso_build_set(&document, "images", meso_build_end(&f->images));
        f->images = (meso_builder){0};
        meso_build_set(&document, "passed_over", meso_passed_json(files));
        report_json_put(meso_build_end(&document), &out);
        MESO_TRY(report_put(&out, NULL, error));
    }
    if (f->csv) {
        report_table_csv(&f->table, &csv);
        MESO_TRY(report_put(&csv, f->csv, error));
    }
out:
    meso_text_free(&path);
    return status;
}

/* Nothing, where the lines have said it all. */
static void print_summary(const faces *f, const meso_dataset *files)
{
    if (files->n_items > 1 || files->n_passed_over + files->n_unreadable > 0)
        fprintf(stderr, "mesocl: %zu images read: %zu faces, %zu images without one; %zu refused\n",
                f->n_read, f->n_faces, f->n_empty, f->n_refused);
    tool_tell_passed(NULL, files);
}

static int exit_code(const faces *f)
{
    return f->n_read > 0 ? 0 : f->n_unread == f->n_refused ? 66 : 65;
}

static int run(faces *f, char **operands, size_t n_operands)
{
    meso_status status = MESO_OK;
    meso_device *device = NULL;
    tool_path_list list = {0};
    meso_dataset files = MESO_INIT(meso_dataset);
    meso_error error = {0}, late = {0};
    MESO_TRY(tool_path_list_read(operands, n_operands, f->nul_separated, &list, &error));
    MESO_TRY(meso_dataset_from_paths(list.paths, list.n, &files, &error));
    MESO_TRY(tool_outputs_spare(&files, &error));
    MESO_TRY(tool_open_device(f->device, &device, &error));
    MESO_TRY(face_detector_open(device, &f->detector, &error));
    status = take_all(f, &files, &error);
    if (status != MESO_OK && status != MESO_ERROR_CANCELLED)
        goto out;
    if (finish(f, &files, device, &late) != MESO_OK) {
        status = late.status;
        error = late;
    }
    print_summary(f, &files);
out:
    face_detector_close(f->detector);
    meso_device_close(device);
    meso_dataset_close(&files);
    tool_path_list_free(&list);
    return status == MESO_OK ? exit_code(f) : tool_fail(&error);
}

int cmd_faces(int argc, char **argv)
{
    faces f = {.table = faces_table()};
    int code = parse(&f, &argc, argv);
    if (code >= 0)
        return code;
    f.images = meso_build_list();
    code = run(&f, argv, (size_t)argc);
    json_decref(f.images.json);
    report_table_free(&f.table);
    return code;
}
