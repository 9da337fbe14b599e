/* SPDX-License-Identifier: Apache-2.0 */
#include "demo/drawing.h"

#include <math.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/random.h"

typedef struct colour {
    float r, g, b;
} colour;

typedef struct ellipse {
    float x, y, rx, ry; /* in parts of the picture's side */
} ellipse;

/* All that is drawn by lot. */
typedef struct face {
    ellipse head, hair, shoulders, eyes[2], irises[2], brows[2], nose, mouth;
    colour skin, hair_colour, iris, lips, shirt, back[2];
    float light_x, light_y, back_turn, noise;
    uint32_t grain; /* of the textures */
} face;

static float between(meso_random *random, double low, double high)
{
    return (float)meso_random_uniform(random, low, high);
}

static colour any_colour(meso_random *random, double low, double high)
{
    colour c = {between(random, low, high), between(random, low, high), between(random, low, high)};
    return c;
}

static void draw_lots(meso_random *random, const study_style *style, face *f)
{
    float x = between(random, 0.42, 0.58), y = between(random, 0.44, 0.54);
    float rx = between(random, 0.22, 0.31), ry = rx * between(random, 1.2, 1.45);
    float tone = between(random, 0.25, 1), apart = rx * between(random, 0.38, 0.48);
    float eye_y = y - ry * between(random, 0.12, 0.25), eye = rx * between(random, 0.17, 0.24);
    float gaze = eye * between(random, -0.3, 0.3);
    f->head = (ellipse){x, y, rx, ry};
    f->hair = (ellipse){x, y - ry * 0.25f, rx * between(random, 1.1, 1.35),
                        ry * between(random, 0.9, 1.15)};
    f->shoulders = (ellipse){x, 1.1f, rx * between(random, 1.6, 2.2), between(random, 0.25, 0.35)};
    for (int side = 0; side < 2; side++) {
        float at = x + (side ? apart : -apart);
        f->eyes[side] = (ellipse){at, eye_y, eye, eye * 0.55f};
        f->irises[side] = (ellipse){at + gaze, eye_y, eye * 0.45f, eye * 0.45f};
        f->brows[side] = (ellipse){at, eye_y - eye * 1.1f, eye * 1.3f, eye * 0.22f};
    }
    f->nose = (ellipse){x, y + ry * 0.12f, rx * between(random, 0.1, 0.17), ry * 0.26f};
    f->mouth = (ellipse){x, y + ry * between(random, 0.48, 0.58), rx * between(random, 0.3, 0.45),
                         ry * between(random, 0.05, 0.12)};
    f->skin = (colour){70 + 160 * tone, 45 + 135 * tone + between(random, -8, 8), 30 + 115 * tone};
    f->hair_colour =
        (colour){between(random, 15, 150), between(random, 10, 110), between(random, 5, 70)};
    f->iris = any_colour(random, 20, 140);
    f->lips = (colour){f->skin.r * 0.85f, f->skin.g * 0.55f, f->skin.b * 0.6f};
    f->shirt = any_colour(random, 20, 220);
    f->back[0] = any_colour(random, 20, 230);
    f->back[1] = any_colour(random, 20, 230);
    f->light_x = (float)style->light + between(random, -0.2, 0.2);
    f->light_y = between(random, -0.5, -0.1);
    f->back_turn = between(random, 0, 6.2832);
    /* Cameras differ more than a forgery changes the whole picture's noise. */
    f->noise = (float)style->noise * between(random, 0.2, 1.8);
    f->grain = (uint32_t)meso_random_u64(random);
}

/* ---- textures: value noise on a lattice ---- */

static float lattice(uint32_t x, uint32_t y, uint32_t seed)
{
    uint32_t h = x * 0x9E3779B1u ^ y * 0x85EBCA77u ^ seed;
    h = (h ^ h >> 15) * 0x2C1B3C6Du;
    h = (h ^ h >> 12) * 0x297A2D39u;
    return (float)(h >> 8) / 8388608.0f - 1; /* −1 … 1 */
}

static float smooth_noise(float x, float y, uint32_t seed)
{
    float fx = floorf(x), fy = floorf(y), u = x - fx, v = y - fy;
    uint32_t i = (uint32_t)(int32_t)fx, k = (uint32_t)(int32_t)fy;
    u = u * u * (3 - 2 * u);
    v = v * v * (3 - 2 * v);
    float top = lattice(i, k, seed) * (1 - u) + lattice(i + 1, k, seed) * u;
    float bottom = lattice(i, k + 1, seed) * (1 - u) + lattice(i + 1, k + 1, seed) * u;
    return top * (1 - v) + bottom * v;
}

/* ---- one pixel ---- */

/* 1 inside, 0 outside, soft over `soft` of the radius. */
static float inside(const ellipse *e, float x, float y, float soft)
{
    float dx = (x - e->x) / e->rx, dy = (y - e->y) / e->ry;
    float distance = (1 - sqrtf(dx * dx + dy * dy)) / soft + 0.5f;
    return distance <= 0 ? 0 : distance >= 1 ? 1 : distance;
}

static colour mix(colour a, colour b, float share)
{
    return (colour){a.r + (b.r - a.r) * share, a.g + (b.g - a.g) * share,
                    a.b + (b.b - a.b) * share};
}

static colour scaled(colour c, float by)
{
    return (colour){c.r * by, c.g * by, c.b * by};
}

static colour background(const face *f, float x, float y)
{
    float along = 0.5f + (x - 0.5f) * cosf(f->back_turn) + (y - 0.5f) * sinf(f->back_turn);
    along += 0.35f * smooth_noise(5 * x, 5 * y, f->grain) +
             0.15f * smooth_noise(17 * x, 17 * y, f->grain + 1);
    return mix(f->back[0], f->back[1], along < 0 ? 0 : along > 1 ? 1 : along);
}

/* A ball's shading, and pores. */
static float skin_light(const face *f, float x, float y)
{
    float nx = (x - f->head.x) / f->head.rx, ny = (y - f->head.y) / f->head.ry;
    float depth = 1 - nx * nx - ny * ny;
    float lit = 0.45f * (depth > 0 ? sqrtf(depth) : 0) + 0.3f * (nx * f->light_x + ny * f->light_y);
    return 0.65f + lit + 0.05f * smooth_noise(60 * x, 60 * y, f->grain + 2) +
           0.04f * smooth_noise(150 * x, 150 * y, f->grain + 3);
}

static colour pixel_of(const face *f, float x, float y)
{
    static const colour white = {235, 232, 228}, black = {8, 8, 10};
    colour c = background(f, x, y);
    float light = skin_light(f, x, y);
    float strands = 0.75f + 0.35f * smooth_noise(90 * x, 9 * y, f->grain + 4);
    c = mix(c, scaled(f->shirt, 0.8f + 0.2f * smooth_noise(30 * x, 30 * y, f->grain + 5)),
            inside(&f->shoulders, x, y, 0.03f));
    c = mix(c, scaled(f->hair_colour, strands), inside(&f->hair, x, y, 0.06f));
    c = mix(c, scaled(f->skin, light), inside(&f->head, x, y, 0.03f));
    c = mix(c, scaled(f->skin, light * 0.86f), 0.7f * inside(&f->nose, x, y, 0.6f));
    for (int side = 0; side < 2; side++) {
        c = mix(c, scaled(white, 0.3f + 0.7f * light), inside(&f->eyes[side], x, y, 0.2f));
        float iris = inside(&f->irises[side], x, y, 0.25f) * inside(&f->eyes[side], x, y, 0.2f);
        ellipse pupil = f->irises[side];
        pupil.rx *= 0.45f;
        pupil.ry *= 0.45f;
        c = mix(c, f->iris, iris);
        c = mix(c, black, iris * inside(&pupil, x, y, 0.3f));
        c = mix(c, scaled(f->hair_colour, 0.7f), inside(&f->brows[side], x, y, 0.4f));
    }
    return mix(c, scaled(f->lips, light), inside(&f->mouth, x, y, 0.3f));
}

static void paint(const face *f, unsigned side, float *rgb)
{
    for (unsigned y = 0; y < side; y++)
        for (unsigned x = 0; x < side; x++) {
            colour c =
                pixel_of(f, ((float)x + 0.5f) / (float)side, ((float)y + 0.5f) / (float)side);
            float *to = rgb + 3 * ((size_t)y * side + x);
            to[0] = c.r;
            to[1] = c.g;
            to[2] = c.b;
        }
}

/* ---- fakes ---- */

/* Means over cells, then bilinear between their centres: what a generator of low resolution and an
 * enlargement leave. */
static void coarsen(float *rgb, unsigned side, float cell, float *cells)
{
    unsigned n = (unsigned)((float)side / cell);
    for (unsigned v = 0; v < n; v++)
        for (unsigned u = 0; u < n; u++)
            for (unsigned c = 0; c < 3; c++) {
                float sum = 0, count = 0;
                for (unsigned y = v * side / n; y < (v + 1) * side / n; y++)
                    for (unsigned x = u * side / n; x < (u + 1) * side / n; x++, count++)
                        sum += rgb[3 * ((size_t)y * side + x) + c];
                cells[3 * (v * n + u) + c] = sum / count;
            }
    for (unsigned y = 0; y < side; y++)
        for (unsigned x = 0; x < side; x++) {
            float fx = ((float)x + 0.5f) * (float)n / (float)side - 0.5f;
            float fy = ((float)y + 0.5f) * (float)n / (float)side - 0.5f;
            fx = fx < 0 ? 0 : fx > (float)(n - 1) ? (float)(n - 1) : fx;
            fy = fy < 0 ? 0 : fy > (float)(n - 1) ? (float)(n - 1) : fy;
            unsigned u = (unsigned)fx, v = (unsigned)fy;
            unsigned u1 = u + 1 < n ? u + 1 : u, v1 = v + 1 < n ? v + 1 : v;
            float a = fx - (float)u, b = fy - (float)v;
            for (unsigned c = 0; c < 3; c++)
                rgb[3 * ((size_t)y * side + x) + c] =
                    (cells[3 * (v * n + u) + c] * (1 - a) + cells[3 * (v * n + u1) + c] * a) *
                        (1 - b) +
                    (cells[3 * (v1 * n + u) + c] * (1 - a) + cells[3 * (v1 * n + u1) + c] * a) * b;
        }
}

/* How much of pixel (x, y) comes from the face that is put in. */
static float put_in(const face *f, unsigned side, unsigned x, unsigned y)
{
    ellipse inner = f->head;
    inner.rx *= 0.85f;
    inner.ry *= 0.85f;
    return inside(&inner, ((float)x + 0.5f) / (float)side, ((float)y + 0.5f) / (float)side, 0.12f);
}

/* Another face of the same pose: the inner part of it, coarse and of a slightly other tint. */
static void forge(meso_random *random, const face *f, const study_style *style, unsigned side,
                  float *rgb, float *other, float *cells)
{
    face donor = *f;
    float tint = 1 + (float)style->strength * between(random, -0.08, 0.08);
    float cell = 1.2f + (float)style->strength * (float)side / 90;
    donor.grain++;
    donor.iris = any_colour(random, 20, 140);
    donor.mouth.rx *= between(random, 0.8, 1.2);
    donor.nose.rx *= between(random, 0.8, 1.3);
    paint(&donor, side, other);
    coarsen(other, side, cell, cells);
    for (unsigned y = 0; y < side; y++)
        for (unsigned x = 0; x < side; x++) {
            float share = put_in(f, side, x, y);
            float *to = rgb + 3 * ((size_t)y * side + x);
            const float *from = other + 3 * ((size_t)y * side + x);
            to[0] += (from[0] * tint - to[0]) * share;
            to[1] += (from[1] - to[1]) * share;
            to[2] += (from[2] / tint - to[2]) * share;
        }
}

static uint8_t to_byte(float v)
{
    return (uint8_t)(v <= 0 ? 0 : v >= 255 ? 255 : v + 0.5f);
}

/* The camera: exposure, and noise that a forged part lacks. */
static void expose(meso_random *random, const face *f, const study_style *style, int fake,
                   unsigned side, const float *in, uint8_t *rgb)
{
    for (unsigned y = 0; y < side; y++)
        for (unsigned x = 0; x < side; x++) {
            float missing = fake ? (float)style->strength * put_in(f, side, x, y) : 0;
            float noise = f->noise * (1 - missing);
            for (unsigned c = 0; c < 3; c++) {
                size_t at = 3 * ((size_t)y * side + x) + c;
                /* The sum of three uniform numbers is near enough to a normal one. */
                float lot =
                    between(random, -1, 1) + between(random, -1, 1) + between(random, -1, 1);
                rgb[at] = to_byte(in[at] * (float)style->exposure + noise * lot);
            }
        }
}

meso_status study_draw(uint64_t seed, int fake, const study_style *style, unsigned side,
                       uint8_t *rgb, meso_error *error)
{
    meso_status status = MESO_OK;
    meso_random random = {seed * 0x9E3779B97F4A7C15u + 1};
    size_t n = (size_t)side * side * 3;
    float *memory = malloc(3 * n * sizeof *memory);
    face f;
    MESO_REQUIRE_MEMORY(memory, error);
    draw_lots(&random, style, &f);
    paint(&f, side, memory);
    if (fake)
        forge(&random, &f, style, side, memory, memory + n, memory + 2 * n);
    expose(&random, &f, style, fake, side, memory, rgb);
out:
    free(memory);
    return status;
}
