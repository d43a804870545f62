export interface Act { readonly todo: true }
