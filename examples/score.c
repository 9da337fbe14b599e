/* SPDX-License-Identifier: Apache-2.0
 *
 * Scores pictures: label, P(fake), P(real) and file, a line for each.
 *
 *   cc score.c -o score $(pkg-config --cflags --libs mesocl)
 *   ./score model.safetensors face.jpg folder/
 *   ./score - folder/                           (the weights that come with MesoCL)
 */
#include <mesocl/mesocl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Called for each file, in the order of the list, while others are decoded and computed. */
static int print_score(const meso_file_score *score, void *user)
{
    (void)user;
    if (score->refusal == MESO_IMAGE_OK)
        printf("%s  %.6f  %.6f  %s\n", score->p.fake > score->p.real ? "fake" : "real",
               score->p.fake, score->p.real, score->path);
    else
        fprintf(stderr, "refused: %s: %s: %s\n", score->path, meso_refusal_name(score->refusal),
                score->detail);
    return 0; /* another value would stop here */
}

int main(int argc, char **argv)
{
    meso_error error = {MESO_ERROR_ARGUMENT, "usage: score MODEL FILE..."};
    meso_status status = argc > 2 ? MESO_OK : MESO_ERROR_ARGUMENT;
    meso_dataset files = MESO_INIT(meso_dataset);
    const char **paths = NULL;
    meso_device *device = NULL;
    meso_model *model = NULL;

    /* The files: folders are searched, files are taken as they are. */
    if (status == MESO_OK)
        status = meso_dataset_from_paths((const char *const *)argv + 2, (size_t)argc - 2, &files,
                                         &error);
    if (status == MESO_OK) {
        paths = calloc(files.n_items, sizeof *paths);
        if (!paths)
            return EXIT_FAILURE;
        for (size_t i = 0; i < files.n_items; i++)
            paths[i] = files.items[i].path;
    }

    /* A device, and the model on it. "auto" is $MESO_DEVICE, else a GPU, else a CPU. */
    if (status == MESO_OK)
        status = meso_device_open("auto", &device, &error);
    if (status == MESO_OK)
        status = meso_model_open(device, strcmp(argv[1], "-") == 0 ? NULL : argv[1], NULL, &model,
                                 &error);

    if (status == MESO_OK)
        status = meso_score_files(model, paths, files.n_items, NULL, print_score, NULL, &error);
    if (status != MESO_OK)
        fprintf(stderr, "score: %s\n", error.text);

    /* Models before their device. All of these take what was never opened. */
    meso_model_close(model);
    meso_device_close(device);
    free(paths);
    meso_dataset_close(&files);
    return meso_status_exit_code(status);
}
