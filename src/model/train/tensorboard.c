/* SPDX-License-Identifier: Apache-2.0
 *
 * An event file is a TFRecord file: length (8 bytes), its masked CRC, data, its masked CRC; little
 * endian throughout. The data are an Event of TensorFlow's event.proto:
 *   1 wall_time double   2 step int64   3 file_version string   5 summary   7 session_log
 *   Summary: 1 repeated Value {1 tag, 2 simple_value float};   SessionLog: 1 status (1: START)
 */
#include "model/train/history.h"

#include <math.h>
#include <string.h>

enum { wire_varint = 0, wire_fixed64 = 1, wire_bytes = 2, wire_fixed32 = 5 };

uint32_t meso_crc32c(const void *bytes, size_t n)
{
    const unsigned char *b = bytes;
    uint32_t crc = 0xFFFFFFFFu;
    for (size_t i = 0; i < n; i++) {
        crc ^= b[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0x82F63B78u : 0);
    }
    return ~crc;
}

static void add_little(uint64_t value, size_t n, meso_text *out)
{
    char bytes[8];
    for (size_t i = 0; i < n; i++)
        bytes[i] = (char)(value >> 8 * i);
    meso_text_add_n(out, bytes, n);
}

static void add_varint(uint64_t value, meso_text *out)
{
    for (; value >= 0x80; value >>= 7)
        add_little(value | 0x80, 1, out);
    add_little(value, 1, out);
}

static void add_key(unsigned field, unsigned wire, meso_text *out)
{
    add_varint(field << 3 | wire, out);
}

static void add_double(unsigned field, double value, meso_text *out)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    add_key(field, wire_fixed64, out);
    add_little(bits, 8, out);
}

static void add_float(unsigned field, float value, meso_text *out)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    add_key(field, wire_fixed32, out);
    add_little(bits, 4, out);
}

static void add_bytes(unsigned field, const char *bytes, size_t n, meso_text *out)
{
    add_key(field, wire_bytes, out);
    add_varint(n, out);
    meso_text_add_n(out, bytes, n);
}

static void add_number(unsigned field, uint64_t value, meso_text *out)
{
    add_key(field, wire_varint, out);
    add_varint(value, out);
}

/* A CRC of data that contain CRCs is weak; TFRecord rotates and adds. */
static uint32_t masked_crc(const void *bytes, size_t n)
{
    uint32_t crc = meso_crc32c(bytes, n);
    return (crc >> 15 | crc << 17) + 0xA282EAD8u;
}

/* Frames an event and empties it. */
static void add_record(meso_text *event, meso_text *out)
{
    size_t at = out->length;
    add_little(event->length, 8, out);
    out->out_of_memory |= event->out_of_memory;
    if (!out->out_of_memory) {
        add_little(masked_crc(out->bytes + at, 8), 4, out);
        meso_text_add_n(out, event->bytes, event->length);
        add_little(masked_crc(event->bytes, event->length), 4, out);
    }
    meso_text_free(event);
}

void meso_tensorboard_begin(double unix_time, uint64_t step, meso_text *out)
{
    static const char version[] = "brain.Event:2";
    meso_text event = {0}, session = {0};
    add_double(1, unix_time, &event);
    add_bytes(3, version, strlen(version), &event);
    add_record(&event, out);
    if (step == 0)
        return;
    add_number(1, 1, &session);
    add_double(1, unix_time, &event);
    add_number(2, step, &event);
    event.out_of_memory |= session.out_of_memory;
    if (session.bytes)
        add_bytes(7, session.bytes, session.length, &event);
    meso_text_free(&session);
    add_record(&event, out);
}

void meso_tensorboard_epoch(double unix_time, const meso_train_record *record, meso_text *out)
{
    meso_text event = {0}, summary = {0}, value = {0};
    for (int c = MESO_FIRST_HISTORY_NUMBER; c < MESO_N_HISTORY_COLUMNS; c++) {
        const char *name = meso_history_columns[c].key;
        double number = meso_history_cell(record, &meso_history_columns[c]);
        if (!isfinite(number))
            continue;
        add_bytes(1, name, strlen(name), &value);
        add_float(2, (float)number, &value);
        summary.out_of_memory |= value.out_of_memory;
        if (value.bytes)
            add_bytes(1, value.bytes, value.length, &summary);
        meso_text_free(&value);
    }
    add_double(1, unix_time, &event);
    add_number(2, record->epoch, &event);
    event.out_of_memory |= summary.out_of_memory;
    if (summary.bytes)
        add_bytes(5, summary.bytes, summary.length, &event);
    meso_text_free(&summary);
    add_record(&event, out);
}
