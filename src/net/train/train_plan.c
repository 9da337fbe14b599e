/* SPDX-License-Identifier: Apache-2.0 */
#include "net/train/train_plan.h"

#include <string.h>

/* What the loss depends on, and who reads each output. */
static void find_uses(meso_train_plan *plan, size_t *n_readers)
{
    plan->places[plan->logits].used = 1;
    for (size_t i = plan->logits + 1; i-- > 0;) {
        const meso_layer *layer = &plan->net->layers[i];
        for (size_t k = 0; k < layer->n_inputs && plan->places[i].used; k++) {
            plan->places[layer->inputs[k]].used = 1;
            n_readers[layer->inputs[k]]++;
        }
    }
}

/* Nobody needs the input any more once this layer has written over it: it is the only reader, and
 * the layer that made the input can do backward without. */
static int can_overwrite(const meso_train_plan *plan, const meso_layer *layer,
                         const size_t *n_readers)
{
    if (!layer->op->in_place)
        return 0;
    const meso_layer *maker = &plan->net->layers[layer->inputs[0]];
    return n_readers[layer->inputs[0]] == 1 && maker->n_inputs > 0 && !maker->op->reads_output;
}

static void place_values(meso_train_plan *plan, const unsigned char *frozen,
                         const size_t *n_readers)
{
    for (size_t i = 0; i <= plan->logits; i++) {
        const meso_layer *layer = &plan->net->layers[i];
        meso_train_place *place = &plan->places[i];
        int halo = layer->op->halo ? layer->op->halo(layer) : 0;
        place->slot = MESO_NO_SLOT;
        place->source =
            can_overwrite(plan, layer, n_readers) ? plan->places[layer->inputs[0]].source : i;
        place->trained = layer->n_params > 0 && !frozen[i];
        for (size_t k = 0; k < layer->n_inputs; k++) {
            meso_train_place *from = &plan->places[layer->inputs[k]];
            place->trained |= from->trained;
            from = &plan->places[from->source];
            from->pad = halo > from->pad ? halo : from->pad;
        }
    }
}

/* What layer i does together with the next one, which alone reads it. The statistics of a frozen
 * layer are others than those that a pair without a tensor in between would take. */
static const meso_fused_pair *pair_at(const meso_train_plan *plan, size_t i,
                                      const unsigned char *frozen, const size_t *n_readers)
{
    const meso_layer *layers = plan->net->layers;
    const meso_train_place *place = &plan->places[i];
    if (!place[1].used || layers[i + 1].inputs[0] != i)
        return NULL;
    const meso_fused_pair *pair = meso_fused_pair_of(&layers[i], &layers[i + 1]);
    if (!pair || (pair->continues && !place[-1].pair))
        return NULL;
    const int alone =
        pair->in_place ? place[1].source == place->source : n_readers[i] == 1 && !frozen[i];
    return alone ? pair : NULL;
}

static void find_pairs(meso_train_plan *plan, const unsigned char *frozen, const size_t *n_readers)
{
    for (size_t i = 1; i < plan->logits; i++)
        plan->places[i].pair = pair_at(plan, i, frozen, n_readers);
}

static int find_slot(meso_train_plan *plan, const meso_layer *layer, unsigned char *busy)
{
    const int pad = layer->op->backward_halo ? layer->op->backward_halo(layer) : 0;
    const meso_train_slot slot = {layer->shape, pad};
    size_t s = 0;
    while (s < plan->n_slots && (busy[s] || memcmp(&plan->slots[s], &slot, sizeof slot) != 0))
        s++;
    if (s == plan->n_slots)
        plan->slots[plan->n_slots++] = slot;
    busy[s] = 1;
    return (int)s;
}

/* Slots for the gradients that layer i's backward begins. */
static void begin_gradients(meso_train_plan *plan, size_t i, unsigned char *busy)
{
    meso_train_place *place = &plan->places[i];
    const meso_layer *layers = plan->net->layers;
    for (size_t k = 0; k < layers[i].n_inputs && place->used && place->trained; k++) {
        const meso_train_place *maker = &plan->places[layers[i].inputs[k]];
        meso_train_place *from = &plan->places[maker->source];
        if (!maker->trained || maker->source == place->source)
            continue;
        place->add[k] = from->slot != MESO_NO_SLOT;
        if (!place->add[k])
            from->slot = find_slot(plan, &layers[maker->source], busy);
    }
}

/* In the order of backward. A layer that takes what the one in front passes on does nothing itself:
 * its gradient is read by that one. */
static void place_gradients(meso_train_plan *plan)
{
    unsigned char busy[MESO_MAX_LAYERS] = {0};
    size_t last = plan->places[plan->logits].source;
    plan->places[last].slot = find_slot(plan, &plan->net->layers[last], busy);
    for (size_t i = plan->logits + 1; i-- > 0;) {
        const size_t done = meso_train_is_passed_on(plan, i) ? i + 1 : i;
        if (i > 0 && meso_train_is_passed_on(plan, i - 1))
            continue;
        begin_gradients(plan, i, busy);
        if (plan->places[done].source == done && plan->places[done].slot != MESO_NO_SLOT)
            busy[plan->places[done].slot] = 0;
    }
}

void meso_train_plan_make(const meso_net *net, const unsigned char *frozen, size_t logits,
                          meso_train_plan *plan)
{
    size_t n_readers[MESO_MAX_LAYERS] = {0};
    memset(plan, 0, sizeof *plan);
    plan->net = net;
    plan->logits = logits;
    find_uses(plan, n_readers);
    place_values(plan, frozen, n_readers);
    find_pairs(plan, frozen, n_readers);
    place_gradients(plan);
}
