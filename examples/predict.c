/* SPDX-License-Identifier: Apache-2.0
 *
 * How likely is it that a picture of a face is a fake?
 *
 *   cc predict.c -o predict $(pkg-config --cflags --libs mesocl)
 *   ./predict meso4 face.jpg
 */
#include <mesocl/mesocl.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    meso_error error = {MESO_ERROR_ARGUMENT, "usage: predict MODEL PICTURE"};
    meso_device *device = NULL;
    meso_model *model = NULL;
    meso_probability p;
    int failed = argc != 3 || meso_device_open("auto", &device, &error) ||
                 meso_model_open(device, argv[1], NULL, &model, &error) ||
                 meso_predict_file(model, argv[2], &p, &error);
    failed ? fprintf(stderr, "%s\n", error.text) : printf("P(fake) = %.6f\n", p.fake);
    meso_model_close(model), meso_device_close(device);
    return failed;
}
