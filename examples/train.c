/* SPDX-License-Identifier: Apache-2.0
 *
 * Trains Meso-4 on a folder that holds a folder of fakes and one of originals, and says how well
 * it does on a quarter of the pictures, which it never trains on.
 *
 *   cc train.c -o train $(pkg-config --cflags --libs mesocl)
 *   ./train data/Train run1         (writes run1/best.safetensors, a model for predict.c)
 *   ./train run1                    (resumes it after Ctrl-C, and ends with the same bits)
 */
#include <mesocl/mesocl.h>
#include <signal.h>
#include <stdio.h>

static volatile sig_atomic_t interrupted;

static void interrupt(int signal)
{
    (void)signal;
    interrupted = 1;
}

/* Called after every step; any value but 0 stops the run and leaves a checkpoint. */
static int follow(const meso_train_event *event, void *user)
{
    (void)user;
    if (event->kind == MESO_TRAIN_STARTED)
        printf("%s, %zu images train it, %zu validate\n", event->net, event->n_train,
               event->n_validation);
    if (event->kind == MESO_TRAIN_EPOCH)
        printf("epoch %zu of %zu: loss %.4f, accuracy %.4f; held out: loss %.4f, accuracy %.4f%s\n",
               event->epoch, event->epochs, event->record->loss, event->record->accuracy,
               event->record->val_loss, event->record->val_accuracy, event->best ? ", best" : "");
    if (event->kind == MESO_TRAIN_REFUSED || event->kind == MESO_TRAIN_NOTE)
        fprintf(stderr, "%s\n", event->text);
    return interrupted;
}

int main(int argc, char **argv)
{
    meso_error error = {MESO_ERROR_ARGUMENT, "usage: train DATA RUN, or train RUN to resume"};
    meso_status status = argc == 2 || argc == 3 ? MESO_OK : MESO_ERROR_ARGUMENT;
    meso_device *device = NULL;
    meso_train_summary summary = MESO_INIT(meso_train_summary);
    meso_metrics metrics = MESO_INIT(meso_metrics);
    summary.metrics = &metrics;
    signal(SIGINT, interrupt);

    if (status == MESO_OK)
        status = meso_device_open("train:meso4", &device, &error);

    /* A new run: everything that is not set here has the default of `mesocl train`. */
    if (status == MESO_OK && argc == 3) {
        meso_train_options options = MESO_TRAIN_OPTIONS_INIT;
        options.data = argv[1];
        options.run = argv[2];
        options.validation_split = 0.25;
        options.split_by = MESO_SPLIT_RANDOM;
        options.net = "meso4";
        options.epochs = 12;
        options.bn_reestimate = 1; /* few steps: running means are far behind */
        status = meso_train(device, &options, follow, NULL, &summary, &error);
    }

    /* A run that was interrupted knows its options. */
    if (status == MESO_OK && argc == 2) {
        const meso_resume_options options = MESO_INIT(meso_resume_options);
        status = meso_train_resume(device, argv[1], &options, follow, NULL, &summary, &error);
    }

    if (status == MESO_OK)
        printf("best epoch %zu: accuracy %.4f, AUC %.4f on %zu images held out\n",
               summary.best_epoch, metrics.accuracy, metrics.auc, metrics.n);
    else
        fprintf(stderr, "train: %s\n", error.text);
    meso_device_close(device);
    return meso_status_exit_code(status);
}
