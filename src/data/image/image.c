/* SPDX-License-Identifier: Apache-2.0
 *
 * Image files to RGB: options, limits, and the choice of decoder. The public side is
 * mesocl/image.h.
 */
#include "mesocl/image.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "base/fields.h"
#include "base/file.h"
#include "base/structs.h"
#include "base/text.h"
#include "data/image/decode.h"
#include "data/image/image.h"
#include "data/image/sniff.h"

/* No picture within the default pixel limit needs more, whatever its format. */
enum { MAX_FILE_BYTES = 256 << 20 };
static const uint64_t default_max_pixels = 8192u * 8192u;

static const meso_refusal refusal_of_fault[] = {
    [MESO_FILE_OK] = MESO_IMAGE_OK,
    [MESO_FILE_VANISHED] = MESO_IMAGE_VANISHED,
    [MESO_FILE_PERMISSION] = MESO_IMAGE_PERMISSION,
    [MESO_FILE_NOT_REGULAR] = MESO_IMAGE_NOT_REGULAR,
    [MESO_FILE_TOO_LARGE] = MESO_IMAGE_TOO_LARGE,
    [MESO_FILE_IO] = MESO_IMAGE_IO,
    [MESO_FILE_MEMORY] = MESO_IMAGE_OK, /* not the file's fault */
};

/* A format whose library was not there at build time has no row. */
static const struct {
    const char *name, *endings;
    meso_status (*decode)(meso_decode *decode);
    void (*library)(char text[MESO_LIBRARY_SIZE]); /* NULL: this one */
} formats[] = {
    [MESO_FORMAT_JPEG] = {"jpeg", "jpg|jpeg|jpe|jfif", meso_decode_jpeg, meso_library_jpeg},
    [MESO_FORMAT_PNG] = {"png", "png", meso_decode_png, meso_library_png},
    [MESO_FORMAT_BMP] = {"bmp", "bmp", meso_decode_bmp, meso_library_bmp},
    [MESO_FORMAT_PNM] = {"pnm", "ppm|pgm|pnm", meso_decode_pnm, NULL},
#ifdef MESO_WEBP
    [MESO_FORMAT_WEBP] = {"webp", "webp", meso_decode_webp, meso_library_webp},
#endif
#ifdef MESO_GIF
    [MESO_FORMAT_GIF] = {"gif", "gif", meso_decode_gif, meso_library_gif},
#endif
#ifdef MESO_TIFF
    [MESO_FORMAT_TIFF] = {"tiff", "tif|tiff", meso_decode_tiff, meso_library_tiff},
#endif
};
enum { n_formats = sizeof formats / sizeof formats[0] };

int meso_image_reads(const char *ending)
{
    for (size_t i = 0; i < n_formats; i++)
        if (formats[i].endings && meso_word_find(formats[i].endings, ending) >= 0)
            return 1;
    return 0;
}

/* What stands at the start of a file that is no image: the first bytes say more than "unknown". */
static meso_status refuse_unknown(meso_decode *decode, meso_format format, const char *what)
{
    char first[3 * 8 + 1] = "";
    if (format == MESO_FORMAT_OTHER)
        return meso_decode_refuse(decode, MESO_IMAGE_UNSUPPORTED, "%s, which MesoCL does not read",
                                  what);
    if (what)
        return meso_decode_refuse(decode, MESO_IMAGE_UNKNOWN_FORMAT, "not an image but %s", what);
    for (size_t i = 0; i < 8 && i < decode->n; i++)
        snprintf(first + 3 * i, 4, " %02x", decode->bytes[i]);
    return meso_decode_refuse(decode, MESO_IMAGE_UNKNOWN_FORMAT,
                              "not an image that MesoCL knows; it starts with%s", first);
}

static meso_status decode_any(meso_decode *decode, meso_format *format)
{
    const char *what = NULL;
    if (decode->n == 0)
        return meso_decode_refuse(decode, MESO_IMAGE_EMPTY, "the file has no bytes");
    if (decode->n > MAX_FILE_BYTES)
        return meso_decode_refuse(decode, MESO_IMAGE_TOO_LARGE, "%zu bytes; the limit is %d",
                                  decode->n, MAX_FILE_BYTES);
    *format = meso_sniff(decode->bytes, decode->n, &what);
    if (*format == MESO_FORMAT_UNKNOWN || *format == MESO_FORMAT_OTHER)
        return refuse_unknown(decode, *format, what);
    if ((size_t)*format >= n_formats || !formats[*format].decode)
        return meso_decode_refuse(decode, MESO_IMAGE_UNSUPPORTED,
                                  "%s; this MesoCL was built without the library for it", what);
    return formats[*format].decode(decode);
}

static meso_status check_options(const meso_image_options *options, meso_error *error)
{
    if (options->into && (options->width == 0 || options->height == 0))
        return meso_fail(error, MESO_ERROR_ARGUMENT,
                         "a picture that goes into the caller's memory needs width and height");
    if (options->width > MESO_IMAGE_MAX_SIDE || options->height > MESO_IMAGE_MAX_SIDE)
        return meso_fail(error, MESO_ERROR_ARGUMENT,
                         "cannot resize to %u x %u: a side may have at most %d", options->width,
                         options->height, MESO_IMAGE_MAX_SIDE);
    return MESO_OK;
}

static meso_image_decoder *elsewhere;

void meso_image_decode_elsewhere(meso_image_decoder *decoder)
{
    elsewhere = decoder;
}

const char *meso_image_format(const char *name)
{
    for (size_t i = 0; i < n_formats; i++)
        if (formats[i].name && strcmp(formats[i].name, name) == 0)
            return formats[i].name;
    return NULL;
}

meso_status meso_image_decode_here(const void *bytes, size_t n, const char *name,
                                   const meso_image_options *options, meso_image *image,
                                   meso_refusal *refusal, meso_error *error)
{
    meso_status status = MESO_OK;
    meso_format format = MESO_FORMAT_UNKNOWN;
    meso_decode decode = {.bytes = bytes,
                          .n = n,
                          .name = name ? MESO_PRINTABLE(name) : "image in memory",
                          .options = *options,
                          .error = error,
                          .orientation = 1};
    MESO_TRY(decode_any(&decode, &format));
    *image = (meso_image){.struct_bytes = sizeof *image,
                          .rgb = meso_rows_take(&decode.rows),
                          .width = decode.rows.out_width,
                          .height = decode.rows.out_height,
                          .file_width = decode.width,
                          .file_height = decode.height,
                          .format = formats[format].name,
                          .exif_orientation = decode.orientation,
                          .suspect = decode.suspect};
out:
    meso_rows_end(&decode.rows);
    *refusal = decode.refusal;
    return status;
}

meso_status meso_image_decode(const void *bytes, size_t n, const char *name,
                              const meso_image_options *options, meso_image *image,
                              meso_refusal *refusal, meso_error *error)
{
    meso_status status = MESO_OK;
    meso_image own = MESO_INIT(meso_image);
    meso_image_options known = MESO_INIT(meso_image_options);
    meso_refusal why = MESO_IMAGE_OK;
    MESO_TRY(meso_struct_check(image, "meso_image", error));
    MESO_TRY(meso_struct_read(&known, sizeof known, options, "meso_image_options", error));
    MESO_TRY(check_options(&known, error));
    if (known.max_pixels == 0)
        known.max_pixels = default_max_pixels;
    MESO_TRY((elsewhere ? elsewhere : meso_image_decode_here)(bytes, n, name, &known, &own, &why,
                                                              error));
    meso_struct_write(image, &own, sizeof own);
out:
    if (refusal)
        *refusal = why;
    return status;
}

meso_status meso_image_check_hash(const char *path, const char *said, const char *found,
                                  meso_error *error)
{
    if (!said || strcasecmp(said, found) == 0)
        return MESO_OK;
    return meso_fail(error, MESO_ERROR_DATA,
                     "%s has changed since the manifest was written: its XXH3-128 is %s, not %s: "
                     "restore it, write the manifest anew, or leave out the column hash",
                     MESO_PRINTABLE(path), found, said);
}

meso_status meso_image_read(const char *path, const char *hash, void **bytes, size_t *n,
                            meso_refusal *refusal, meso_error *error)
{
    meso_file_fault fault = MESO_FILE_OK;
    char found[33];
    meso_status status = meso_file_read(path, MAX_FILE_BYTES, bytes, n, &fault, error);
    *refusal = refusal_of_fault[fault];
    if (status != MESO_OK || !hash)
        return status;
    meso_hash_hex(*bytes, *n, found);
    status = meso_image_check_hash(path, hash, found, error);
    if (status != MESO_OK) {
        free(*bytes);
        *bytes = NULL;
    }
    return status;
}

meso_status meso_image_load_listed(const char *path, const char *hash,
                                   const meso_image_options *options, meso_image *image,
                                   meso_refusal *refusal, meso_error *error)
{
    void *bytes = NULL;
    size_t n = 0;
    meso_refusal unread;
    meso_status status = meso_image_read(path, hash, &bytes, &n, &unread, error);
    if (status == MESO_OK)
        status = meso_image_decode(bytes, n, path, options, image, refusal, error);
    else if (refusal)
        *refusal = unread;
    free(bytes);
    return status;
}

meso_status meso_image_load(const char *path, const meso_image_options *options, meso_image *image,
                            meso_refusal *refusal, meso_error *error)
{
    return meso_image_load_listed(path, NULL, options, image, refusal, error);
}

void meso_image_free(meso_image *image)
{
    if (!image)
        return;
    free(image->rgb);
    meso_struct_clear(image);
}

const char *meso_image_decoders(void)
{
    /* Each thread has its own copy, so that the first calls of two threads do not meet. */
    static _Thread_local char text[n_formats * (MESO_LIBRARY_SIZE + 2)];
    size_t length = 0;
    for (size_t i = 0; i < n_formats; i++) {
        char library[MESO_LIBRARY_SIZE];
        if (!formats[i].library)
            continue;
        formats[i].library(library);
        length += (size_t)sprintf(text + length, "%s%s", length ? ", " : "", library);
    }
    return text;
}
