/* SPDX-License-Identifier: Apache-2.0
 *
 * OpenVINO from C++: start to one answer, with as little as possible in between. startup.py
 * compiles and runs it.
 *
 *   startup_openvino MODEL.xml PICTURE.ppm
 */
#include <cstdio>
#include <vector>

#include <openvino/openvino.hpp>

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    unsigned width = 0, height = 0;
    std::FILE *file = std::fopen(argv[2], "rb");
    if (!file || std::fscanf(file, "P6 %u %u 255", &width, &height) != 2)
        return 66;
    std::fgetc(file);
    ov::Tensor pixels(ov::element::u8, {1, height, width, 3});
    if (std::fread(pixels.data(), 1, pixels.get_byte_size(), file) != pixels.get_byte_size())
        return 65;
    std::fclose(file);
    ov::Core core;
    ov::CompiledModel compiled =
        core.compile_model(argv[1], "CPU",
                           ov::hint::performance_mode(ov::hint::PerformanceMode::LATENCY),
                           ov::hint::inference_precision(ov::element::f32));
    ov::InferRequest request = compiled.create_infer_request();
    request.set_input_tensor(pixels);
    request.infer();
    std::printf("%.9g\n", request.get_output_tensor().data<float>()[0]);
    std::fflush(stdout);
    std::_Exit(0); /* its own unloading is no part of the answer */
}
