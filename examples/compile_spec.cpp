// compile_spec.cpp - Compile attention from C++. A window of three keys, whose
// weights are equal as q is zero: row i is the mean of rows i-2 .. i of v.
#include <attn/attn_jit.hpp>
#include <cstdio>

static void run() {
  auto window = attn::attend(64).mask(
      [](auto, auto, auto i, auto j) { return i >= j && i - j < 3; });
  attn::Jit jit;
  attn::Kernel kernel = jit.compile(window.text());
  for (int64_t n : {100, 200, 300}) {
    std::vector<int64_t> shape = {1, 1, n, 64};
    std::vector<float> zeros(n * 64), values(n * 64), out(n * 64);
    for (size_t at = 0; at < values.size(); ++at)
      values[at] = float(at / 64);
    attn::Tensor q(zeros.data(), shape), v(values.data(), shape);
    kernel({q, q, v}, {{out.data(), shape}});
    std::printf("%d tokens: the last row is %.1f\n", int(n), out.back());
  }
}

int main() {
  try {
    run();
  } catch (const attn::Error &error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
