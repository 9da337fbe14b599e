/* SPDX-License-Identifier: Apache-2.0
 *
 * A labelled list of image files, from folders or from a manifest.
 *
 * Labels never depend on folder order: a class folder is fake or real by its name, letter case
 * ignored,
 *   fake  fake df deepfake forged manipulated synthetic swap swapped ai generated
 *   real  real original pristine authentic genuine human
 * or by the names given in the options. Anything ambiguous is refused.
 */
#ifndef MESOCL_DATASET_H
#define MESOCL_DATASET_H

#include <stddef.h>

#include "mesocl/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum meso_label { MESO_FAKE = 0, MESO_REAL = 1, MESO_UNLABELLED = 2 } meso_label;

typedef struct meso_dataset_item {
    const char *path; /* as it is opened; any bytes but NUL */
    meso_label label;
    const char *group; /* the recording or the person, several as "a|b"; NULL without groups */
    const char
        *hash; /* XXH3-128 of the file, 32 hex digits, as a manifest says; NULL if none does */
} meso_dataset_item;

/* Why something that lies in a folder of images is not one of them. */
typedef enum meso_passed_kind {
    MESO_PASSED_FORMAT,    /* by its name an image, of a format that this build does not read */
    MESO_PASSED_NO_ENDING, /* a name without an ending */
    MESO_PASSED_FOLDER,    /* an image that lies beside the two class folders */
    MESO_PASSED_OTHER,     /* no image by its name */
    MESO_PASSED_SYSTEM,    /* what systems leave, such as @eaDir or Thumbs.db, and hidden names */
    MESO_PASSED_UNLISTED,  /* an image that belongs to no video of the layout */
    MESO_PASSED_MISSING,   /* a video that the layout's lists name and of which no image is there */
    MESO_PASSED_N_KINDS
} meso_passed_kind;

typedef struct meso_passed_over {
    meso_passed_kind kind;
    const char *name; /* ".avif"; "files" that have no ending; the folder; what the system left */
    size_t n;         /* of a folder: images in it */
} meso_passed_over;

/* How a folder says what is fake and who is shown. In all but the first two an image lies in a
 * folder that bears its video's name, as crops of videos do, or bears it itself; its group is the
 * identities that the video's name or the lists tell. */
typedef enum meso_layout {
    MESO_LAYOUT_AUTO,    /* class folders where there are two, else which of the others it is */
    MESO_LAYOUT_FOLDERS, /* a folder for each class */
    MESO_LAYOUT_FFPP,    /* FaceForensics++: original_sequences, manipulated_sequences; train.json,
                            val.json and test.json, here or in splits, list pairs of identities */
    MESO_LAYOUT_CELEBDF, /* Celeb-real, Celeb-synthesis, YouTube-real; in List_of_testing_videos.txt
                            1 is real */
    MESO_LAYOUT_DFDC,    /* metadata.json, here or in folders here: {name: {label, original}}, label
                            REAL or 0, FAKE or 1 */
    MESO_LAYOUT_N
} meso_layout;

/* Start from MESO_INIT(meso_dataset). */
typedef struct meso_dataset {
    size_t struct_bytes;
    meso_dataset_item *items; /* fakes first, then sorted by path in byte order */
    size_t n_items;
    size_t n_class[2];   /* items labelled fake, real */
    size_t n_groups;     /* groups, classes apart */
    size_t n_unreadable; /* folders that could not be opened; the first is named in `unreadable` */
    char unreadable[512];
    meso_passed_over *passed_over; /* [n_passed_over] what was found in folders and not taken */
    size_t n_passed_over;
    void *storage;      /* private */
    meso_layout layout; /* that was read, not AUTO; of a manifest FOLDERS */
} meso_dataset;

/* Start from MESO_INIT(meso_dataset_options). Every pointer may be NULL. */
typedef struct meso_dataset_options {
    size_t struct_bytes;
    const char *fake;     /* name of the class folder that holds the fakes */
    const char *real;     /* name of the class folder that holds the originals */
    const char *manifest; /* CSV with the columns file, label and, if wanted, group and hash (RFC
                             4180); paths are relative to the manifest's folder, labels are class
                             names as above */
    const char *group;    /* POSIX extended regular expression on the path below the class folder;
                             each parenthesis is an identity, and images that share one belong
                             together. For a manifest without a column group: on the path as it
                             stands there; words without a parenthesis, separated by commas, are
                             the names of columns instead */
    size_t max_per_class; /* keep the first so many of each class, 0 for all */
    meso_layout layout;   /* of a folder; with another than AUTO and FOLDERS no manifest, fake or
                             real; group is a pattern on the path below the root */
} meso_dataset_options;

/* Scans root, which is laid out as options->layout says. Beside its class folders other folders and
 * loose files are passed over and counted. A root that is a file is a manifest; with
 * options->manifest root is NULL. Class folders are searched whole; files are taken by their name's
 * ending (jpg jpeg jpe jfif png bmp ppm pgm pnm, and where their libraries were there at build time
 * webp gif tif tiff; letter case ignored). All else is passed over and counted: other endings,
 * hidden names, what systems leave. Links are followed, and each folder is entered once, so that
 * loops end. A group belongs to its class: a recording name that stands in both class folders is
 * two groups. Errors: NO_INPUT (no such folder, unreadable, no images), DATA (class folder missing
 * or ambiguous; not laid out as told, a list that contradicts the layout; a class without images;
 * bad manifest line, with its number; a file listed twice; a file in which the pattern finds no
 * group), ARGUMENT (bad pattern, one name for both classes, a manifest or class folders with a
 * layout), MEMORY. */
MESO_API meso_status meso_dataset_open(const char *root, const meso_dataset_options *options,
                                       meso_dataset *dataset, meso_error *error);

/* Every image below the given files and folders, unlabelled, in the order given, folders sorted and
 * searched as above. A file named directly is taken whatever its name and whether or not it can be
 * read: what is wrong with it is found when it is decoded. Errors: NO_INPUT (nothing but folders
 * that are empty or unreadable; n = 0), MEMORY. */
MESO_API meso_status meso_dataset_from_paths(const char *const *paths, size_t n,
                                             meso_dataset *dataset, meso_error *error);

/* How a dataset is divided into training and validation. */
typedef enum meso_split_kind {
    MESO_SPLIT_FIRST,  /* the first ⌊fraction · n⌋ of each class validate, as Keras'
                          validation_split */
    MESO_SPLIT_LAST,   /* the last ⌊fraction · n⌋ of each class */
    MESO_SPLIT_RANDOM, /* so many of each class, by the seed */
    MESO_SPLIT_GROUP,  /* whole groups by the seed, in each class as near to the fraction as they
                          allow; a group name that stands in both classes is one group */
    MESO_SPLIT_N_KINDS
} meso_split_kind;

MESO_API void meso_dataset_close(meso_dataset *dataset); /* frees and zeroes; NULL is allowed */

#ifdef __cplusplus
}
#endif
#endif
