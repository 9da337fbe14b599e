/* SPDX-License-Identifier: Apache-2.0
 *
 * Feature frames against OpenCV 4.10 and scikit-image 0.26: figures of golden/make_feature_frame.py
 * for pictures that are drawn here, and for a photo where the reference data are.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <zlib.h>

#include "harness_device.h"
#include "mesocl/image.h"
#include "picture/feature_frame.h"
#include "picture/wavelet.h"

static const int thresholds[3][2] = {{0, 10}, {0, 30}, {100, 200}};

/* width 0: the photo. divide, add: v / divide + add of the drawn values. Beyond 29 columns and 61
 * rows all are 77: details of nothing but rounding. */
typedef struct picture {
    const char *name;
    unsigned width, height, divide, add;
    double minmax_sum, laplacian[4], laplacian_first[6]; /* minimum, maximum, sum, sum of |v| */
    double sharpness; /* population variance of the grey picture's Laplacian */
    unsigned n_edges[3];
    uint32_t edges_crc[3];
    double sigma, psnr, residual_deviation, residual[4]; /* the first three and the last */
} picture;

static const picture pictures[] = {
    {"X",
     16,
     16,
     1,
     0,
     95325,
     {-770, 834, 856, 207732},
     {-142, -350, 228, 300, 485, -337},
     50888.30857849121,
     {105, 105, 104},
     {0x6d299fb1, 0x6d299fb1, 0x4e1d0ba5},
     0.2745211502131284,
     12.277454507667668,
     0.24329168967795722,
     {0.11470588235294088, 0.09509803921568633, -0.20784313725490233, -0.11666666666666714}},
    {"Y",
     16,
     16,
     3,
     20,
     94587,
     {-771, 834, 858, 207630},
     {-150, -354, 222, 303, 483, -333},
     5621.660140991211,
     {106, 106, 52},
     {0x684ebebb, 0x684ebebb, 0xd40ec8b7},
     0.09242487656773353,
     21.785679205503236,
     0.0814171769684128,
     {0.040196078431372406, 0.03235294117647053, -0.06764705882352962, -0.0401960784313726}},
    {"odd",
     37,
     71,
     1,
     0,
     878841,
     {-865, 836, -4071, 1479349},
     {-274, -208, 342, -2, 137, -447},
     33999.863180068074,
     {709, 709, 702},
     {0x8ac3d801, 0x8ac3d801, 0xc3e06bfe},
     0.12063221736436407,
     24.740042625733857,
     0.05794258529055116,
     {0.04712797390651591, -0.013263356418292349, -0.10235006417534787, -6.106226635438361e-16}},
    {"photo",
     0,
     0,
     1,
     0,
     3868348,
     {-110, 97, 3495, 274903},
     {-6, -6, -10, -2, -2, -1},
     81.05535414897554,
     {3660, 2989, 732},
     {0x42899219, 0x0a4b8916, 0x07bc8322},
     0.001976864500012643,
     60.48115374484583,
     0.0009461114810358034,
     {0.0004611765625171377, 0.00027427978636362926, 0.00013695164906432633,
      -0.00020931535974185247}}};
enum { N_DRAWN = 3, PHOTO = N_DRAWN };

static meso_error error;

static void draw(const picture *p, uint8_t *rgb)
{
    uint32_t s = 1;
    for (size_t i = 0; i < 3 * (size_t)p->width * p->height; i++) {
        s = (s * 1103515245u + 12345u) & 0x7fffffffu;
        rgb[i] = (uint8_t)((s >> 16 & 255) / p->divide + p->add);
        if (i / 3 / p->width >= 61 || i / 3 % p->width >= 29)
            rgb[i] = 77;
    }
}

/* Of n values: minimum, maximum, sum, sum of |v|, sum of v². */
static void sums(const float *values, size_t n, double out[5])
{
    memset(out, 0, 5 * sizeof *out);
    out[0] = out[1] = values[0];
    for (size_t i = 0; i < n; i++) {
        const double v = values[i];
        out[0] = fmin(out[0], v);
        out[1] = fmax(out[1], v);
        out[2] += v;
        out[3] += fabs(v);
        out[4] += v * v;
    }
}

static void filter(const char *name, const uint8_t *rgb, unsigned w, unsigned h, float *out)
{
    const meso_feature_frame *frame = meso_feature_frame_find(name);
    assert_non_null(frame);
    for (size_t i = 0; i < 3 * (size_t)w * h; i++)
        out[i] = NAN;
    if (frame->filter(rgb, w, h, out, &error) != MESO_OK)
        fail_msg("%s: %s", name, error.text);
}

static void check_laplacian(const picture *p, const uint8_t *rgb, unsigned w, unsigned h,
                            float *out)
{
    const size_t n = (size_t)w * h;
    double s[5];
    uint8_t *grey = malloc(n);
    filter("minmax", rgb, w, h, out);
    sums(out, 3 * n, s);
    harness_close(s[2], p->minmax_sum, 0, "%s: sum of minmax", p->name);
    filter("laplacian", rgb, w, h, out);
    sums(out, 3 * n, s);
    for (int i = 0; i < 4; i++)
        harness_close(s[i], p->laplacian[i], 0, "%s: figure %d of laplacian", p->name, i);
    for (int i = 0; i < 6; i++)
        harness_close(out[i], p->laplacian_first[i], 0, "%s: laplacian %d", p->name, i);
    meso_grey(rgb, n, grey);
    meso_laplacian(grey, w, h, 1, out);
    sums(out, n, s);
    const double mean = s[2] / (double)n;
    harness_close(s[4] / (double)n - mean * mean, p->sharpness, 1e-9 * p->sharpness,
                  "%s: sharpness", p->name);
    free(grey);
}

static void check_canny(const picture *p, const uint8_t *rgb, unsigned w, unsigned h, float *out)
{
    const size_t n = (size_t)w * h;
    uint8_t *grey = malloc(n), *edges = malloc(n);
    meso_grey(rgb, n, grey);
    for (size_t t = 3; t-- > 0;) { /* the filter's own thresholds last */
        unsigned count = 0;
        memset(edges, 77, n);
        assert_int_equal(
            meso_canny_edges(grey, w, h, thresholds[t][0], thresholds[t][1], edges, &error),
            MESO_OK);
        for (size_t i = 0; i < n; i++)
            count += edges[i] == 255;
        assert_int_equal(count, p->n_edges[t]);
        assert_int_equal(crc32(0, edges, (unsigned)n), p->edges_crc[t]);
    }
    filter("canny", rgb, w, h, out);
    for (size_t i = 0; i < 3 * n; i++)
        harness_close(out[i], edges[i / 3], 0, "%s: canny %zu", p->name, i);
    free(grey);
    free(edges);
}

static void check_residual(const picture *p, const uint8_t *rgb, unsigned w, unsigned h, float *out)
{
    const size_t n = 3 * (size_t)w * h, places[4] = {0, 1, 2, n - 1};
    double sigma, s[5];
    assert_int_equal(meso_noise_sigma(rgb, w, h, &sigma, &error), MESO_OK);
    harness_close(sigma, p->sigma, 1e-12, "%s: sigma", p->name);
    filter("residual", rgb, w, h, out);
    sums(out, n, s);
    const double mean = s[2] / (double)n, square = s[4] / (double)n;
    harness_close(10 * log10(1 / square), p->psnr, 2e-6, "%s: PSNR", p->name);
    harness_close(sqrt(square - mean * mean), p->residual_deviation, 1e-8, "%s: deviation",
                  p->name);
    for (int i = 0; i < 4; i++)
        harness_close(out[places[i]], p->residual[i], 3e-8, "%s: residual %d", p->name, i);
}

static void check(const picture *p, const uint8_t *rgb, unsigned w, unsigned h)
{
    float *out = malloc(3 * (size_t)w * h * sizeof *out);
    filter("none", rgb, w, h, out);
    for (size_t i = 0; i < 3 * (size_t)w * h; i++)
        harness_close(out[i], rgb[i], 0, "%s: none %zu", p->name, i);
    check_laplacian(p, rgb, w, h, out);
    check_canny(p, rgb, w, h, out);
    check_residual(p, rgb, w, h, out);
    free(out);
}

static void drawn_pictures_give_the_figures_of_opencv_and_scikit_image(void **state)
{
    static uint8_t rgb[3 * 37 * 71];
    (void)state;
    for (int i = 0; i < N_DRAWN; i++) {
        draw(&pictures[i], rgb);
        check(&pictures[i], rgb, pictures[i].width, pictures[i].height);
    }
}

static void a_photo_gives_the_figures_of_opencv_and_scikit_image(void **state)
{
    meso_image image = MESO_INIT(meso_image);
    (void)state;
    const char *path = harness_data("datasets/mesonet/Validation/Real/100_0.jpg");
    if (meso_image_load(path, NULL, &image, NULL, &error) != MESO_OK)
        fail_msg("%s", error.text);
    check(&pictures[PHOTO], image.rgb, image.width, image.height);
    meso_image_free(&image);
}

/* PyWavelets' dwt2(R / 255, 'db1') of X and Y. */
static void haar_is_pywavelets_there_and_back(void **state)
{
    static const double firsts[2][4] = {{1.323529412, -.127450980, .307843137, .049019608},
                                        {.594117647, -.041176471, .103921569, .017647059}};
    static const double powers[2] = {3.247189542, .361768551}; /* Σ D² */
    uint8_t rgb[3 * 256];
    double plane[256], bands[256], back[256];
    (void)state;
    for (size_t p = 0; p < 2; p++) {
        double power = 0;
        draw(&pictures[p], rgb);
        for (size_t i = 0; i < 256; i++)
            plane[i] = rgb[3 * i] / 255.0;
        meso_haar(plane, 16, 16, bands);
        for (size_t b = 0; b < 4; b++)
            harness_close(bands[64 * b], firsts[p][b], 6e-10, "band %zu of %zu", b, p);
        for (size_t i = 192; i < 256; i++)
            power += bands[i] * bands[i];
        harness_close(power, powers[p], 6e-10, "power of %zu", p);
        meso_haar_back(bands, 16, 16, back);
        for (size_t i = 0; i < 256; i++)
            harness_close(back[i], plane[i], 1e-14, "value %zu of %zu", i, p);
    }
}

static void pictures_of_one_value_and_one_pixel_have_no_features(void **state)
{
    static const unsigned sizes[][2] = {{1, 1}, {5, 1}, {1, 5}, {2, 2}, {40, 50}};
    static uint8_t rgb[3 * 40 * 50];
    static float out[3 * 40 * 50];
    (void)state;
    memset(rgb, 77, sizeof rgb);
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
        for (const meso_feature_frame *f = meso_feature_frames + 1; f->name; f++) {
            filter(f->name, rgb, sizes[s][0], sizes[s][1], out);
            for (size_t i = 0; i < 3 * (size_t)sizes[s][0] * sizes[s][1]; i++)
                harness_close(out[i], 0, 1e-12, "%s %zu of size %zu", f->name, i, s);
        }
}

static void a_name_that_is_none_has_no_filter(void **state)
{
    (void)state;
    assert_null(meso_feature_frame_find("sobel"));
    assert_null(meso_feature_frame_find("mini"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(drawn_pictures_give_the_figures_of_opencv_and_scikit_image),
        cmocka_unit_test(a_photo_gives_the_figures_of_opencv_and_scikit_image),
        cmocka_unit_test(haar_is_pywavelets_there_and_back),
        cmocka_unit_test(pictures_of_one_value_and_one_pixel_have_no_features),
        cmocka_unit_test(a_name_that_is_none_has_no_filter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
