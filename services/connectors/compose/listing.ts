export interface ListingAct { readonly of: 'listing', readonly recordId: string }
