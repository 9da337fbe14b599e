/* SPDX-License-Identifier: Apache-2.0
 *
 * For tools/zoo.sh: pictures where there are none, and what the double-precision reference says.
 *
 *   zoo_reference draw FOLDER N           N pictures 00.ppm, 01.ppm, …
 *   zoo_reference score WEIGHTS FILE…     a line "FILE,P(real)" for each
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"
#include "harness_model.h"
#include "mesocl/image.h"
#include "mesocl/weights.h"

enum { side = 256, n_bytes = 3 * side * side };

/* A slope of colour with noise on it, both by number. */
static int draw(const char *folder, int n)
{
    static uint8_t pixels[n_bytes];
    for (int i = 0; i < n; i++) {
        char path[4096];
        meso_random random = {(uint64_t)i};
        for (int k = 0; k < n_bytes; k++) {
            int x = k / 3 % side, y = k / 3 / side, c = k % 3;
            pixels[k] = (uint8_t)((i + 1) * x / 8 + (c + 1) * y / 4 +
                                  (int)meso_random_below(&random, 1 + 8 * (uint64_t)i));
        }
        snprintf(path, sizeof path, "%s/%02d.ppm", folder, i);
        FILE *file = fopen(path, "wb");
        if (!file)
            return 1;
        fprintf(file, "P6 %d %d 255\n", side, side);
        fwrite(pixels, 1, sizeof pixels, file);
        if (fclose(file) != 0)
            return 1;
    }
    return 0;
}

static int score(const char *path, char **files, int n)
{
    meso_weights *weights;
    meso_net *net;
    meso_error error = {0};
    static float input[n_bytes];
    if (meso_weights_read(path, &weights, &error) != MESO_OK ||
        meso_net_parse(meso_weights_get(weights, "mesocl.net"), "net", &net, &error) != MESO_OK) {
        fprintf(stderr, "%s\n", error.text);
        return 1;
    }
    for (int i = 0; i < n; i++) {
        meso_image_options options = MESO_INIT(meso_image_options);
        meso_image image = MESO_INIT(meso_image);
        double p;
        options.width = options.height = side;
        if (meso_image_load(files[i], &options, &image, NULL, &error) != MESO_OK) {
            fprintf(stderr, "%s\n", error.text);
            return 1;
        }
        for (int k = 0; k < n_bytes; k++)
            input[k] = (float)image.rgb[k] / 255.0f;
        meso_image_free(&image);
        harness_reference_p(net, weights, input, 1, &p);
        printf("%s,%.9f\n", files[i], p);
    }
    meso_net_close(net);
    meso_weights_close(weights);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[1], "draw") == 0)
        return draw(argv[2], atoi(argv[3]));
    if (argc > 3 && strcmp(argv[1], "score") == 0)
        return score(argv[2], argv + 3, argc - 3);
    return 2;
}
