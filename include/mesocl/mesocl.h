/* SPDX-License-Identifier: Apache-2.0
 *
 * MesoCL: Meso-4 and its relatives on any OpenCL device.
 *
 * From an image file to P(fake), with a model by its name or file:
 *
 *   #include <mesocl/mesocl.h>
 *   #include <stdio.h>
 *
 *   int main(int argc, char **argv)
 *   {
 *       meso_error error = {MESO_ERROR_ARGUMENT, "usage: predict MODEL PICTURE"};
 *       meso_device *device = NULL;
 *       meso_model *model = NULL;
 *       meso_probability p;
 *       int failed = argc != 3 || meso_device_open("auto", &device, &error) ||
 *                    meso_model_open(device, argv[1], NULL, &model, &error) ||
 *                    meso_predict_file(model, argv[2], &p, &error);
 *       failed ? fprintf(stderr, "%s\n", error.text) : printf("P(fake) = %.6f\n", p.fake);
 *       meso_model_close(model), meso_device_close(device);
 *       return failed;
 *   }
 *
 * That is examples/predict.c; examples/score.c scores lists and folders, with decoding beside
 * computing; examples/train.c makes a model. Read on: status.h (errors, sizes), device.h, model.h
 * (predict), image.h, then net.h, dataset.h, evaluate.h, stream.h, metrics.h, weights.h, train.h.
 */
#ifndef MESOCL_MESOCL_H
#define MESOCL_MESOCL_H

#include "mesocl/augment.h"
#include "mesocl/dataset.h"
#include "mesocl/device.h"
#include "mesocl/evaluate.h"
#include "mesocl/image.h"
#include "mesocl/metrics.h"
#include "mesocl/model.h"
#include "mesocl/net.h"
#include "mesocl/selftest.h"
#include "mesocl/status.h"
#include "mesocl/stream.h"
#include "mesocl/train.h"
#include "mesocl/weights.h"

#endif
