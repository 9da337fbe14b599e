/* SPDX-License-Identifier: Apache-2.0 */
#include "demo/demo_data.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/random.h"
#include "base/text.h"

const study_demo_set study_demo_sets[STUDY_N_DEMO_SETS] = {
    {"control",
     "to test with: strong traces, light from the front, quality 92; check warns of high "
     "frequencies, which are the drawn traces themselves, and of nothing else",
     {1, 0, 1, 5},
     {92, 92},
     0,
     0,
     0,
     0},
    {"clear", "drawn as control is; check warns of the same", {1, 0, 1, 5}, {92, 92}, 0, 0, 0, 0},
    {"faint",
     "weak traces, light from the side, quality 75; check warns of the traces, and of duplicates, "
     "label conflicts and pictures of control, which were planted",
     {0.3, -0.9, 0.8, 4},
     {75, 75},
     5,
     5,
     2,
     5},
    {"shortcut",
     "weak traces; fakes are encoded at quality 70, reals at 95; check warns of JPEG quality, file "
     "size, blockiness and all else that follows from it",
     {0.3, 0.5, 1.1, 5},
     {70, 95},
     0,
     0,
     0,
     0},
};

/* What is planted, in this order: each kind takes its sources from where the last one ended. */
enum plant { EXACT, NEAR, CONFLICT, LEAK, n_plants };

static const char *const plant_names[n_plants] = {"exact", "near", "conflict", "leak"};
static const char *const class_names[2] = {"Fake", "Real"};

typedef struct demo {
    const study_demo_options *options;
    uint8_t *rgb, *scaled; /* a picture; one of up to twice its side */
    meso_text planted;     /* CSV */
    size_t n_done, n_total;
    meso_random random;
    meso_error *error;
} demo;

/* A drawn picture. */
typedef struct picture {
    size_t set;
    int label;
    size_t number;
} picture;

static meso_status require_empty(const char *path, meso_error *error)
{
    DIR *folder = opendir(path);
    size_t n = 0;
    if (!folder)
        return meso_fail(error, MESO_ERROR_CREATE, "%s: %s", MESO_PRINTABLE(path), strerror(errno));
    while (readdir(folder))
        n++;
    closedir(folder);
    return n <= 2 ? MESO_OK /* . and .. */
                  : meso_fail(error, MESO_ERROR_CREATE,
                              "%s is not empty: choose a folder that is not there yet",
                              MESO_PRINTABLE(path));
}

/* "clear/Fake/00012.jpg" */
static void name_of(const demo *d, const picture *p, char name[128])
{
    snprintf(name, 128, "%.80s/%s/%05zu.jpg", d->options->sets[p->set].name, class_names[p->label],
             p->number);
}

static meso_status path_of(const demo *d, const picture *p, meso_text *path)
{
    char name[128];
    name_of(d, p, name);
    path->length = 0;
    meso_text_format(path, "%s/%s", d->options->folder, name);
    return path->out_of_memory ? meso_fail(d->error, MESO_ERROR_MEMORY, "out of memory") : MESO_OK;
}

static meso_status draw(demo *d, const picture *p)
{
    const uint64_t seed = d->options->seed << 40 ^ (uint64_t)p->set << 33 ^
                          (uint64_t)p->label << 32 ^ (uint64_t)p->number;
    return study_draw(seed, p->label == 0, &d->options->sets[p->set].style, d->options->side,
                      d->rgb, d->error);
}

static meso_status step(demo *d)
{
    d->n_done++;
    return d->options->progress && d->options->progress(d->n_done, d->n_total, d->options->user)
               ? meso_fail(d->error, MESO_ERROR_CANCELLED, "interrupted after %zu of %zu pictures",
                           d->n_done, d->n_total)
               : MESO_OK;
}

static meso_status write_drawn(demo *d, const picture *p, meso_text *path)
{
    const unsigned side = d->options->side;
    MESO_CHECK(draw(d, p));
    MESO_CHECK(path_of(d, p, path));
    MESO_CHECK(study_write_jpeg(path->bytes, d->rgb, side, side,
                                d->options->sets[p->set].quality[p->label], d->error));
    return step(d);
}

static meso_status copy_file(demo *d, const picture *from, const picture *to, meso_text *path)
{
    meso_status status = MESO_OK;
    void *bytes = NULL;
    size_t n;
    MESO_TRY(path_of(d, from, path));
    MESO_TRY(meso_file_read(path->bytes, SIZE_MAX / 2, &bytes, &n, NULL, d->error));
    MESO_TRY(path_of(d, to, path));
    MESO_TRY(meso_file_write(path->bytes, bytes, n, d->error));
out:
    free(bytes);
    return status;
}

/* Encoded anew, and by turns scaled, mirrored, both. */
static meso_status write_near(demo *d, const picture *from, const picture *to, size_t turn,
                              meso_text *path)
{
    unsigned side = d->options->side;
    double scale = turn % 2 ? meso_random_uniform(&d->random, 0.5, 2) : 1;
    unsigned out_side = (unsigned)(side * scale + 0.5);
    int quality = 50 + (int)meso_random_below(&d->random, 46);
    MESO_CHECK(draw(d, from));
    study_resize(d->rgb, side, d->scaled, out_side, turn / 2 % 2);
    MESO_CHECK(path_of(d, to, path));
    return study_write_jpeg(path->bytes, d->scaled, out_side, out_side, quality, d->error);
}

/* One plant of a set, from the source that is the next in a shuffled order. */
static meso_status plant_one(demo *d, size_t set, enum plant kind, size_t turn, size_t source,
                             size_t next_number[2], meso_text *path)
{
    char names[2][128];
    size_t n = d->options->n_per_class;
    picture from = {kind == LEAK ? 0 : set, (int)(source / n), source % n}, to = {set, 0, 0};
    if (kind == CONFLICT) /* a fake called real */
        from.label = 0;
    to.label = kind == CONFLICT ? 1 : from.label;
    to.number = next_number[to.label]++;
    if (kind == NEAR)
        MESO_CHECK(write_near(d, &from, &to, turn, path));
    else
        MESO_CHECK(copy_file(d, &from, &to, path));
    name_of(d, &to, names[0]);
    name_of(d, &from, names[1]);
    meso_text_format(&d->planted, "%s,%s,%s\r\n", plant_names[kind], names[0], names[1]);
    return step(d);
}

static void shuffle(meso_random *random, size_t *order, size_t n)
{
    for (size_t i = 0; i < n; i++)
        order[i] = i;
    for (size_t i = n; i > 1; i--) {
        size_t k = meso_random_below(random, i), kept = order[i - 1];
        order[i - 1] = order[k];
        order[k] = kept;
    }
}

/* Sources are all different, whatever the kind: a conflict's is the fake of the same number, so
 * both pictures of a number are used up by one. */
static meso_status plant(demo *d, size_t set, meso_text *path)
{
    meso_status status = MESO_OK;
    const study_demo_set *s = &d->options->sets[set];
    const size_t counts[n_plants] = {s->n_exact, s->n_near, s->n_conflicts, s->n_leaks};
    size_t n = d->options->n_per_class, next = 0, next_number[2] = {n, n};
    size_t *order = malloc((n + 1) * sizeof *order);
    MESO_REQUIRE_MEMORY(order, d->error);
    shuffle(&d->random, order, n);
    MESO_REQUIRE(counts[0] + counts[1] + counts[2] + counts[3] <= n, d->error, MESO_ERROR_ARGUMENT,
                 "%zu pictures of a class are too few for what is planted", n);
    for (int kind = 0; kind < n_plants; kind++)
        for (size_t i = 0; i < counts[kind]; i++, next++)
            MESO_TRY(plant_one(d, set, (enum plant)kind, i, order[next] + (i % 2 ? n : 0),
                               next_number, path));
out:
    free(order);
    return status;
}

static meso_status write_set(demo *d, size_t set)
{
    meso_status status = MESO_OK;
    meso_text path = {0};
    for (int label = -1; label < 2; label++) {
        path.length = 0;
        meso_text_format(&path, "%s/%s%s%s", d->options->folder, d->options->sets[set].name,
                         label < 0 ? "" : "/", label < 0 ? "" : class_names[label]);
        MESO_REQUIRE_MEMORY(!path.out_of_memory, d->error);
        MESO_TRY(meso_folder_make(path.bytes, d->error));
    }
    for (int label = 0; label < 2; label++)
        for (size_t i = 0; i < d->options->n_per_class; i++)
            MESO_TRY(write_drawn(d, &(picture){set, label, i}, &path));
    MESO_TRY(plant(d, set, &path));
out:
    meso_text_free(&path);
    return status;
}

static meso_status write_text(const demo *d, const char *name, meso_text *text)
{
    meso_status status = MESO_OK;
    meso_text path = {0};
    meso_text_format(&path, "%s/%s", d->options->folder, name);
    MESO_REQUIRE_MEMORY(!path.out_of_memory, d->error);
    MESO_TRY(meso_file_write_text(path.bytes, text, d->error));
out:
    meso_text_free(text);
    meso_text_free(&path);
    return status;
}

static meso_status write_readme(const demo *d)
{
    meso_text text = {0};
    meso_text_format(
        &text,
        "The pictures in this folder were drawn by a program (dataset_bench demo-data, "
        "seed %llu).\nThey show nobody, no camera took them, and figures found on them "
        "say nothing of real deepfakes.\n\n",
        (unsigned long long)d->options->seed);
    for (size_t s = 0; s < d->options->n_sets; s++)
        meso_text_format(&text, "%-10s %s\n", d->options->sets[s].name, d->options->sets[s].about);
    meso_text_add(&text, "\nplanted.csv lists the pictures that were put in more than once.\n");
    return write_text(d, "README.txt", &text);
}

static size_t count_all(const study_demo_options *o)
{
    size_t n = 0;
    for (size_t s = 0; s < o->n_sets; s++)
        n += 2 * o->n_per_class + o->sets[s].n_exact + o->sets[s].n_near + o->sets[s].n_conflicts +
             o->sets[s].n_leaks;
    return n;
}

meso_status study_demo_write(const study_demo_options *options, meso_error *error)
{
    meso_status status = MESO_OK;
    size_t bytes = (size_t)options->side * options->side * 3;
    demo d = {.options = options,
              .n_total = count_all(options),
              .random = {options->seed},
              .error = error};
    d.rgb = malloc(bytes);
    d.scaled = malloc(4 * bytes + 4096);
    MESO_REQUIRE_MEMORY(d.rgb, error);
    MESO_REQUIRE_MEMORY(d.scaled, error);
    MESO_TRY(meso_folder_make(options->folder, error));
    MESO_TRY(require_empty(options->folder, error));
    MESO_TRY(write_readme(&d));
    meso_text_add(&d.planted, "kind,file,source\r\n");
    for (size_t s = 0; s < options->n_sets; s++)
        MESO_TRY(write_set(&d, s));
    MESO_TRY(write_text(&d, "planted.csv", &d.planted));
out:
    free(d.rgb);
    free(d.scaled);
    meso_text_free(&d.planted);
    return status;
}
