/* SPDX-License-Identifier: Apache-2.0 */
#include "train_command.h"

#include <math.h>
#include <stdio.h>

#include "base/text.h"
#include "common.h"
#include "model/train/learned.h"
#include "options.h"
#include "report/report_json.h"
#include "report/report_number.h"
#include "result_folder.h"

/* A run is long, and stdout may be a file that is looked at: so each line is flushed. */
static void print_started(const tool_train_output *o, const meso_train_event *event)
{
    fprintf(o->json ? stderr : stdout, "net %s, %s kernels, %zu images train, %zu validate\n",
            event->net, event->path, event->n_train, event->n_validation);
    fflush(stdout);
}

static void print_value(const char *name, double value, int digits)
{
    char number[REPORT_NUMBER_SIZE];
    if (isfinite(value))
        printf("  %s %s", name, report_fixed(value, digits, number));
}

static void print_epoch(const meso_train_event *event)
{
    const meso_train_record *r = event->record;
    printf("epoch %*zu/%zu", snprintf(NULL, 0, "%zu", event->epochs), r->epoch, event->epochs);
    print_value("loss", r->loss, 4);
    print_value("accuracy", r->accuracy, 4);
    print_value("val_loss", r->val_loss, 4);
    print_value("val_accuracy", r->val_accuracy, 4);
    print_value("val_auc", r->val_auc, 4);
    printf("  lr %g", r->learning_rate);
    print_value("images/s", r->images_per_second, r->images_per_second < 10);
    printf("%s\n", event->best ? "  best" : "");
    fflush(stdout);
}

static void end_bar(tool_train_output *o)
{
    tool_progress_end(&o->progress);
    o->shown = MESO_TRAIN_STARTED;
}

/* How much of an epoch is behind: a step takes about as long as three images of validation. */
static double part_of_epoch(meso_train_event_kind kind, const meso_train_event *event)
{
    const double all = 3 * (double)event->n_train + (double)event->n_validation;
    const double done = kind == MESO_TRAIN_STEP
                            ? 3 * (double)event->images
                            : 3 * (double)event->n_train + (double)event->images;
    return event->epoch > event->epochs ? 0 : done / all;
}

/* A bar for the training part of each epoch, one for its validation, one for what comes after the
 * last epoch. It starts before the first batch, whose time counts too. */
static void start_bar(tool_train_output *o, meso_train_event_kind kind,
                      const meso_train_event *event, size_t epoch, size_t before, size_t n)
{
    const int is_step = kind == MESO_TRAIN_STEP;
    end_bar(o);
    o->shown = kind;
    o->progress = (tool_progress){.what = is_step ? "images" : "images measured",
                                  .total = n,
                                  .before = before,
                                  .head = o->epoch};
    snprintf(o->epoch, sizeof o->epoch, "epoch %zu/%zu", epoch, event->epochs);
    if (epoch <= event->epochs)
        o->progress.whole = &o->epochs;
    else
        snprintf(o->epoch, sizeof o->epoch, "at the end");
    tool_progress_start(&o->progress);
}

static void show_progress(tool_train_output *o, const meso_train_event *event)
{
    if (o->shown != event->kind || event->images < o->progress.done)
        start_bar(o, event->kind, event, event->epoch, 0, event->n_images);
    o->epochs.part = part_of_epoch(event->kind, event);
    tool_progress_update(&o->progress, event->images);
    tool_progress_update(&o->epochs, o->epochs.done);
    if (event->kind == MESO_TRAIN_STEP && event->images == event->n_images && event->n_validation)
        start_bar(o, MESO_TRAIN_VALIDATING, event, event->epoch, 0, event->n_validation);
}

static void start_epochs(tool_train_output *o, const meso_train_event *event)
{
    o->epochs = (tool_progress){.what = "epochs",
                                .total = event->epochs,
                                .before = event->epoch - 1,
                                .part = part_of_epoch(MESO_TRAIN_STEP, event),
                                .no_bar = 1};
    tool_progress_start(&o->epochs);
    if (event->epoch <= event->epochs && event->images < event->n_train)
        start_bar(o, MESO_TRAIN_STEP, event, event->epoch, event->images, event->n_train);
}

static void end_epoch(tool_train_output *o, const meso_train_event *event)
{
    end_bar(o);
    o->epochs.part = 0;
    tool_progress_update(&o->epochs, event->record->epoch);
    if (!o->json)
        print_epoch(event);
    if (event->record->epoch < event->epochs)
        start_bar(o, MESO_TRAIN_STEP, event, event->epoch + 1, 0, event->n_train);
}

int tool_train_output_event(const meso_train_event *event, void *user)
{
    tool_train_output *o = user;
    if (event->kind == MESO_TRAIN_STEP || event->kind == MESO_TRAIN_VALIDATING) {
        show_progress(o, event);
        return tool_interrupted();
    }
    tool_progress_clear(&o->progress);
    switch (event->kind) {
    case MESO_TRAIN_STARTED:
        print_started(o, event);
        tool_result_end(NULL);
        start_epochs(o, event);
        tool_interrupt_catch(); /* from now on there is a checkpoint to go on from */
        break;
    case MESO_TRAIN_EPOCH:
        end_epoch(o, event);
        break;
    case MESO_TRAIN_REFUSED:
        fprintf(stderr, "refused: %s\n", event->text);
        break;
    default:
        fprintf(stderr, "%s: %s\n", tool_program_name, event->text);
        break;
    }
    return tool_interrupted();
}

void tool_train_output_end(tool_train_output *output)
{
    end_bar(output);
    tool_progress_end(&output->epochs);
}

/* metrics.json and where it is. */
static int print_json(const tool_train_output *o)
{
    meso_text path = {0}, text = {0};
    meso_text_format(&path, "%s/metrics.json", o->run);
    json_t *metrics = path.out_of_memory ? NULL : json_load_file(path.bytes, 0, NULL);
    meso_builder document = meso_build_object();
    meso_build_set(&document, "schema", json_incref(json_object_get(metrics, "schema")));
    meso_build_text(&document, "run", o->run);
    meso_build_count(&document, "refused", o->result.n_refused);
    document.failed |= json_object_update(document.json, metrics) != 0;
    report_json_put(meso_build_end(&document), &text);
    json_decref(metrics);
    meso_text_free(&path);
    return tool_print(&text);
}

/* A run without a result is none to choose an epoch of. Squared errors tell how far it is off,
 * whatever was minimised. */
static void warn_not_learned(const meso_train_summary *r)
{
    const meso_metrics *m = r->metrics;
    const double constant =
        meso_constant_loss(MESO_LOSS_MSE, m->confusion[MESO_FAKE][0] + m->confusion[MESO_FAKE][1],
                           m->confusion[MESO_REAL][0] + m->confusion[MESO_REAL][1]);
    const int worse = m->mse > 1.2 * constant;
    if (r->learned || r->epochs == 0)
        return;
    fprintf(stderr,
            "%s: did not learn: its mean squared error is %.4f, %s than the %.4f of one answer "
            "for every picture; %s\n",
            tool_program_name, m->mse, worse ? "worse" : "hardly better", constant,
            worse                       ? "lower --lr"
            : r->steps < MESO_FEW_STEPS ? "train longer (--epochs), or with --bn-reestimate"
                                        : "try another --lr, or more pictures");
}

int tool_train_output_result(const tool_train_output *o)
{
    const meso_train_summary *r = &o->result;
    char a[REPORT_NUMBER_SIZE], b[REPORT_NUMBER_SIZE];
    warn_not_learned(r);
    if (o->json)
        return print_json(o);
    if (r->best_epoch > 0)
        printf("%s epoch %zu by %s %s\n",
               r->learned ? "best" : "no good epoch; the least bad:", r->best_epoch,
               meso_monitor_name(r->monitor), report_fixed(r->best, 4, a));
    printf("%s on the %s set: %zu of %zu images correct, accuracy %s, AUC %s\n",
           r->best_epoch > 0 ? "that epoch" : "the start",
           r->on_validation ? "validation" : "training", r->metrics->correct, r->metrics->n,
           report_fixed(r->metrics->accuracy, 4, a), report_fixed(r->metrics->auc, 4, b));
    printf("written  %s\n", MESO_PRINTABLE(o->run));
    return 0;
}
