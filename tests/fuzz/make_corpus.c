/* SPDX-License-Identifier: Apache-2.0
 *
 * make_corpus DIR: draws and writes the first inputs of the fuzz targets that are not in the tree
 * as files: DIR/fuzz_image, DIR/fuzz_safetensors, DIR/fuzz_manifest.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "harness_encode.h"
#include "mesocl/net.h"
#include "mesocl/weights.h"
#include "video/video.h"

enum { side = 24 };

static char folder[4000];

static void put(const char *name, const void *bytes, size_t n)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    if (meso_file_write(path, bytes, n, NULL) != MESO_OK)
        abort();
}

static void put_encoded(const char *name, encoded file)
{
    put(name, file.bytes, file.n);
    free(file.bytes);
}

static void draw_images(void)
{
    static uint8_t pixels[side * side * 8];
    static const struct {
        int type, depth;
    } kinds[] = {{0, 1}, {0, 8}, {0, 16}, {2, 8}, {2, 16}, {3, 4}, {3, 8}, {4, 8}, {6, 8}, {6, 16}};
    uint8_t exif[6 + 32] = "Exif\0";
    char name[64];
    for (size_t i = 0; i < sizeof pixels; i++)
        pixels[i] = (uint8_t)(i * i / 5);
    for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++)
        for (int interlaced = 0; interlaced < 2; interlaced++) {
            snprintf(name, sizeof name, "fuzz_image/%zu_%d.png", k, interlaced);
            put_encoded(name, encode_png(pixels, side, side, kinds[k].type, kinds[k].depth,
                                         interlaced, interlaced && kinds[k].type < 4));
        }
    for (int progressive = 0; progressive < 2; progressive++) {
        jpeg_request colour = {side, side, JCS_RGB, JCS_YCbCr, progressive, NULL, 0};
        jpeg_request grey = {side, side, JCS_GRAYSCALE, JCS_GRAYSCALE, progressive, NULL, 0};
        jpeg_request ink = {side, side, JCS_CMYK, JCS_YCCK, progressive, exif, 0};
        ink.app1_bytes = (unsigned)(6 + encode_exif(exif + 6, 6, progressive));
        snprintf(name, sizeof name, "fuzz_image/colour%d.jpg", progressive);
        put_encoded(name, encode_jpeg(&colour, pixels));
        snprintf(name, sizeof name, "fuzz_image/grey%d.jpg", progressive);
        put_encoded(name, encode_jpeg(&grey, pixels));
        snprintf(name, sizeof name, "fuzz_image/ink%d.jpg", progressive);
        put_encoded(name, encode_jpeg(&ink, pixels));
    }
    put("fuzz_image/a.ppm", "P6 2 2 255\n123456789012", 23);
    put("fuzz_image/a.pgm", "P5\n# words\n2 2\n255\n1234", 24);
    /* 2 x 2, 24 bits, two rows of 8 bytes. */
    put("fuzz_image/a.bmp",
        "BM\x46\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\2\0\0\0\2\0\0\0\1\0\x18\0\0\0\0\0\x10\0\0\0"
        "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0abcdef\0\0ghijkl\0\0",
        70);
}

static void write_weights(void)
{
    char path[4096];
    meso_net *net = NULL;
    meso_weights *weights = NULL;
    static const char text[] = "i = input height=4 width=4 channels=3 divide=255\n"
                               "c = conv i filters=2 window=3x3 stride=1x1 dilation=1x1 pad=same\n"
                               "n = batch_norm c epsilon=0.001\nf = flatten n\n"
                               "d = dense f units=1\np = sigmoid d\n";
    snprintf(path, sizeof path, "%s/fuzz_safetensors/small", folder);
    if (meso_net_parse(text, "small", &net, NULL) != MESO_OK ||
        meso_weights_random(net, 1, &weights, NULL) != MESO_OK ||
        meso_weights_write(weights, path, NULL) != MESO_OK)
        abort();
    meso_weights_close(weights);
    meso_net_close(net);
    put("fuzz_net/small.net", text, sizeof text - 1);
}

/* What mesocl-video sends for a clip of two frames; and a script for its code. */
static void write_clip(void)
{
    static const video_frame frame = {VIDEO_FRAME_MAGIC, 1, 2, 2, 5, 0.5};
    struct {
        video_info info;
        struct {
            video_frame head;
            uint8_t rgb[2][2][3];
        } __attribute__((packed)) frames[2];
        video_tail tail;
    } __attribute__((packed)) clip = {{.magic = VIDEO_INFO_MAGIC,
                                       .width = 2,
                                       .height = 2,
                                       .sar_num = 1,
                                       .sar_den = 1,
                                       .n_packets = 9,
                                       .n_chosen = 2,
                                       .container = "mov",
                                       .codec = "h264",
                                       .matrix = "bt601"},
                                      {{frame, {{{0}}}}, {frame, {{{0}}}}},
                                      {VIDEO_TAIL_MAGIC, 2, 0, 2}};
    uint8_t script[400];
    clip.frames[1].head.number = 4;
    put("fuzz_video_stream/clip", (const char *)&clip, sizeof clip);
    for (size_t i = 0; i < sizeof script; i++)
        script[i] = (uint8_t)(i * i % 251);
    put("fuzz_video/script", (const char *)script, sizeof script);
}

int main(int argc, char **argv)
{
    static const char *const folders[] = {"fuzz_image",    "fuzz_safetensors", "fuzz_net",
                                          "fuzz_manifest", "fuzz_video",       "fuzz_video_stream"};
    static const char csv[] = "file,label,group\n\"a \"\"b\"\".png\",fake,1\r\nc.png,real,2\n";
    char path[4096];
    if (argc != 2)
        return 2;
    snprintf(folder, sizeof folder, "%s", argv[1]);
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, folders[i]);
        mkdir(path, 0777);
    }
    draw_images();
    write_weights();
    write_clip();
    put("fuzz_manifest/a.csv", csv, sizeof csv - 1);
    return 0;
}
