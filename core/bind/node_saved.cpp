// What the node of an operator keeps, looked at from Python.
#include <string>

#include "autograd/history.h"
#include "autograd/node.h"
#include "bind/hooks.h"
#include "bind/python.h"
#include "ops/kinds/kinds.h"

namespace adj::py {

PyObject* saved_tensor(Node* node, std::string_view name) {
  auto* made = dynamic_cast<OpNode*>(node);
  if (!made) return nullptr;
  const Schema& schema = made->op.schema;
  auto kept = [&](const Saved& s) { return made->released || s.tensor.defined() || s.packed; };
  auto show = [&](Saved saved, const char* what, int output) {  // a copy: the node's stays packed
    if (!made->released) saved.unpack();
    Tensor x = made->unpack(saved, what);
    if (output >= 0 && made->recorded) {
      x = detach(x);
      set_history(x, NodeRef(made), static_cast<uint32_t>(output));
    }
    return wrap(x);
  };
  for (auto& slot : made->slots) {
    const std::string& own = schema.params[slot.argument].name;
    if (name != own && !(name == "self" && slot.argument == 0 && own == "input")) continue;
    if (kept(slot.saved) && made->reads >> slot.argument & 1)
      return show(slot.saved, "argument", -1);
    for (uint32_t r : made->op.reads)
      if (r >> slot.argument & 1) Py_RETURN_NONE;  // for other gradients than were wanted
  }
  for (int i = 0; i < made->outs.size(); ++i) {
    bool named = i < static_cast<int>(schema.returns.size()) && name == schema.returns[i];
    if (!named && name != "result" + (made->outs.size() > 1 ? std::to_string(i) : std::string()))
      continue;
    if (kept(made->outs[i]) && made->reads >> (16 + i) & 1) return show(made->outs[i], "result", i);
  }
  return nullptr;
}

}  // namespace adj::py
