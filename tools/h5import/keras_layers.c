/* SPDX-License-Identifier: Apache-2.0
 *
 * The two ways in which Keras lays layers out in an HDF5 file.
 *
 * Keras 1 and 2, and the .h5 of Keras 3: attribute layer_names, a group for each layer, its
 * attribute weight_names with paths inside that group. A list over 64 KiB is split into
 * layer_names0, layer_names1, … Keras 3: groups nested as the objects are, each with its arrays as
 * vars/0, vars/1, …; newer versions give the vars group an attribute `name`, older ones know the
 * layer only by class and number.
 */
#include "h5import.h"

#include <stdio.h>
#include <string.h>

static void add_layer(import_result *out, json_t *name, const char *group, json_t *arrays)
{
    json_t *layer = need(json_object());
    set(layer, "name", name);
    set(layer, "group", text_of(group));
    set(layer, "arrays", arrays);
    if (json_array_size(out->layers) >= MAX_LAYERS)
        die(65, "more than %d layers", MAX_LAYERS);
    json_array_append_new(out->layers, layer);
}

static void add_named_layer(import_result *out, hid_t root, const char *name)
{
    hid_t group = h5_open_group(root, name);
    json_t *arrays = need(json_array());
    char attribute[32] = "weight_names";
    /* The whole list, or its pieces until one is missing. */
    for (int piece = h5_has_attribute(group, attribute) ? -1 : 0;; piece++) {
        size_t n = 0;
        if (piece >= 0)
            snprintf(attribute, sizeof attribute, "weight_names%d", piece);
        if (!h5_has_attribute(group, attribute))
            break;
        char **names = h5_read_strings(group, attribute, &n);
        for (size_t i = 0; i < n; i++)
            json_array_append_new(arrays, h5_read_array(out, group, names[i], names[i]));
    }
    add_layer(out, text_of(name), name, arrays);
    H5Gclose(group);
}

void read_layer_names_layout(import_result *out, hid_t root)
{
    char attribute[32] = "layer_names";
    for (int piece = h5_has_attribute(root, attribute) ? -1 : 0;; piece++) {
        size_t n = 0;
        if (piece >= 0)
            snprintf(attribute, sizeof attribute, "layer_names%d", piece);
        if (!h5_has_attribute(root, attribute))
            break;
        char **names = h5_read_strings(root, attribute, &n);
        for (size_t i = 0; i < n; i++)
            add_named_layer(out, root, names[i]);
    }
}

/* vars/0, vars/1, … of the group at path; nothing where there are none. One of several files with
 * a model's weights may lack the first ones. */
static void add_vars(import_result *out, hid_t group, const char *path)
{
    H5G_info_t info;
    char number[16];
    json_t *arrays = need(json_array());
    hid_t vars = h5_open_group(group, "vars");
    if (H5Gget_info(vars, &info) < 0)
        die(65, "damaged: group %s/vars is unreadable", shown(path));
    for (int i = 0; i < MAX_LAYERS && json_array_size(arrays) < info.nlinks; i++) {
        snprintf(number, sizeof number, "%d", i);
        if (H5Lexists(vars, number, H5P_DEFAULT) > 0)
            json_array_append_new(arrays, h5_read_array(out, vars, number, number));
    }
    if (json_array_size(arrays) > 0)
        add_layer(out, h5_read_text(vars, "name"), path, arrays);
    else
        json_decref(arrays);
    H5Gclose(vars);
}

/* State that is not the network's: the optimiser's moments, sums of metrics, the random generators
 * of dropout. */
static int is_foreign(const char *name)
{
    return strcmp(name, "optimizer") == 0 || strcmp(name, "metrics") == 0 ||
           strncmp(name, "seed_generator", 14) == 0;
}

static void walk(import_result *out, hid_t group, const char *path, int depth)
{
    H5G_info_t info;
    if (depth > MAX_DEPTH || H5Gget_info(group, &info) < 0)
        die(65, "damaged: groups nested more than %d deep, or unreadable", MAX_DEPTH);
    for (hsize_t i = 0; i < info.nlinks; i++) {
        char name[256], below[1024];
        ssize_t length = H5Lget_name_by_idx(group, ".", H5_INDEX_NAME, H5_ITER_INC, i, name,
                                            sizeof name, H5P_DEFAULT);
        if (length < 0 || (size_t)length >= sizeof name)
            die(65, "damaged: a group's name cannot be read");
        hid_t child = H5Oopen(group, name, H5P_DEFAULT);
        H5I_type_t type = H5Iget_type(child);
        if (child < 0)
            die(65, "damaged: %s cannot be opened", shown(name));
        if (type == H5I_GROUP && strcmp(name, "vars") == 0) {
            add_vars(out, group, path);
        } else if (type == H5I_GROUP && !is_foreign(name)) {
            int n = snprintf(below, sizeof below, "%s%s%s", path, path[0] ? "/" : "", name);
            if (n < 0 || (size_t)n >= sizeof below)
                die(65, "damaged: a group's path is too long");
            walk(out, child, below, depth + 1);
        }
        H5Oclose(child);
    }
}

void read_vars_layout(import_result *out, hid_t root)
{
    walk(out, root, "", 0);
}
